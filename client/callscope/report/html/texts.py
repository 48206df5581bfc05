"""The page's own texts: `texts/LANGUAGE.toml`, the same keys in each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from callscope.report.html.phrases import Texts

LANGUAGES: Mapping[str, str] = {"en": "English", "ja": "日本語", "ko": "한국어"}
DEFAULT = "en"


@cache
def texts(language: str) -> Texts:
    """Dotted key -> text, `{name}` where a value goes.

    Raises:
        KeyError: the page has no texts in that language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    return read_texts("callscope.report.html", language)


def read_texts(package: str, language: str) -> Texts:
    """The texts that lie in a package, under dotted keys."""
    source = files(package).joinpath("texts", f"{language}.toml")
    return dict(_flat(tomllib.loads(source.read_text("utf-8")), ""))


def interface_language(language: str | None) -> str:
    """The language of the page for a call in `language`."""
    return language if language and language in LANGUAGES else DEFAULT


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
