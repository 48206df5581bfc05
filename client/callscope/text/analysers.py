"""Sentence ends by packages that know the language better than the rules, and take longer: extras, never required."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import accumulate
from types import ModuleType
from typing import Any, Literal

from callscope.errors import ExtraMissing

SentenceModel = Literal["rules", "kiwi", "budoux"]


def kiwi_ends(text: str) -> list[int]:
    """Offsets of all Korean sentences but the first, by the morphemes that Kiwi finds.

    Raises:
        ExtraMissing: kiwipiepy is not installed.
    """
    return [sentence.start for sentence in _kiwi()(text)][1:]


def phrase_ends(text: str) -> frozenset[int]:
    """Offsets behind each Japanese phrase that BudouX finds: a sentence ends at none but these.

    Raises:
        ExtraMissing: budoux is not installed.
    """
    return frozenset(accumulate(map(len, _budoux()(text))))


@cache
def _kiwi() -> Callable[[str], list[Any]]:
    package = _package("kiwipiepy", "Cutting Korean with Kiwi", "korean")
    split: Callable[[str], list[Any]] = package.Kiwi(num_workers=1).split_into_sents
    return split


@cache
def _budoux() -> Callable[[str], list[str]]:
    package = _package("budoux", "Cutting Japanese with BudouX", "japanese")
    parse: Callable[[str], list[str]] = package.load_default_japanese_parser().parse
    return parse


def _package(name: str, what: str, extra: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise ExtraMissing(what, extra) from error
