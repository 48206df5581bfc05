"""What every error means and what to do about it, read off the classes themselves.

The first paragraph of an error's docstring is what it means; the one that begins with `What to do:` is the remedy, and
where it has none, its parent's holds.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from callscope.errors import CallscopeError, RemoteUnreachable, StoreUnreachable
from callscope.triton.retrying import PASSING

MODULES = (
    "callscope.errors",
    "callscope.batch.worker_errors",
    "callscope.error_counts",
    "callscope.remote.failures",
    "callscope.transcripts.errors",
    "callscope.report.overview.gathering",
    "callscope_preprocessing.errors",
    "callscope_preprocessing.diarization_errors",
    "callscope_preprocessing.extras",
    "callscope_server.errors",
    "callscope_export.errors",
)
"""Where errors with an exit code are defined."""
REMEDY = "What to do: "


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """An error as its user is to understand it.

    Attributes:
        name: the class's name, as logs and metrics have it.
        package: where it comes from.
        exit_code: of a command that ends with it.
        meaning: what happened, a sentence.
        remedy: what to do about it.
        retried: by whom it is tried again before anybody hears of it; empty where nobody does.
    """

    name: str
    package: str
    exit_code: int
    meaning: str
    remedy: str
    retried: str


def error_classes() -> tuple[ErrorClass, ...]:
    """Every error of the installed parts that has an exit code, by package and name."""
    found = sorted(_classes(), key=lambda kind: (kind.__module__.partition(".")[0], kind.__name__))
    return tuple(_explained(kind) for kind in found)


def remedies() -> dict[str, str]:
    """What to do about each error, by its name."""
    return {one.name: one.remedy for one in error_classes()}


def _classes() -> Iterator[type[Exception]]:
    for name in MODULES:
        try:
            module = import_module(name)
        except ImportError:  # the extra `export` is not installed
            continue
        for kind in vars(module).values():
            ours = inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == name
            if ours and hasattr(kind, "exit_code") and kind is not CallscopeError:
                yield kind


def _explained(kind: type[Exception]) -> ErrorClass:
    return ErrorClass(
        name=kind.__name__,
        package=kind.__module__.partition(".")[0],
        exit_code=kind.exit_code,  # type: ignore[attr-defined]  # `_classes` has looked
        meaning=_paragraphs(kind)[0],
        remedy=next(filter(None, map(_remedy, kind.__mro__)), ""),
        retried=_retried(kind),
    )


def _paragraphs(kind: type) -> list[str]:
    return [" ".join(part.split()) for part in inspect.cleandoc(kind.__doc__ or "").split("\n\n")]


def _remedy(kind: type) -> str:
    told = next((part for part in _paragraphs(kind) if part.startswith(REMEDY)), "")
    text = told.removeprefix(REMEDY)
    return text[:1].upper() + text[1:]


def _retried(kind: type[Exception]) -> str:
    by = {"each request": PASSING, "the store": (StoreUnreachable,), "each fetch": (RemoteUnreachable,)}
    return ", ".join(who for who, kinds in by.items() if issubclass(kind, kinds))
