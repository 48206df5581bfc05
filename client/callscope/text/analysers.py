"""Sentence ends by a package that analyses the language: slower than the rules, an extra, never required."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Literal

from callscope.errors import ExtraMissing

SentenceModel = Literal["rules", "kiwi"]


def kiwi_ends(text: str) -> list[int]:
    """Offsets of all Korean sentences but the first, by the morphemes that Kiwi finds.

    Raises:
        ExtraMissing: kiwipiepy is not installed.
    """
    return [sentence.start for sentence in _kiwi()(text)][1:]


@cache
def _kiwi() -> Callable[[str], list[Any]]:
    try:
        package = import_module("kiwipiepy")
    except ImportError as error:
        raise ExtraMissing("Cutting Korean sentences with Kiwi", "korean") from error
    split: Callable[[str], list[Any]] = package.Kiwi(num_workers=1).split_into_sents
    return split
