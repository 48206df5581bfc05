"""Personal data in one text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from callscope.redaction.digits import LANGUAGES, Number, Vocabulary, find_numbers, vocabulary
from callscope.redaction.emails import find_emails
from callscope.redaction.kinds import Kind, context_of, kind_of

CONTEXT = 80
"""Characters before a number in which words may tell what it is."""
NATIONAL_INSURANCE = re.compile(r"\b(?!bg|gb|kn|nk|nt|tn|zz)[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z] ?(?:\d\d ?){3}[a-d]\b")
"""HM Revenue & Customs, NIM39110."""


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data from `start` to `end` of a text; `groups` are where a number's digits are in between."""

    start: int
    end: int
    kind: Kind
    groups: tuple[tuple[int, int], ...] = ()

    def within(self, start: int, end: int) -> Found | None:
        """What of it lies in a stretch of the text, with places in that stretch; None where nothing does."""
        edges = [
            (max(first, start), min(last, end))
            for first, last in self.groups or ((self.start, self.end),)
            if first < end and start < last
        ]
        return Found(edges[0][0] - start, edges[-1][1] - start, self.kind) if edges else None


def find_personal_data(
    text: str, language: str | None = None, said_before: Callable[[int], str] | None = None
) -> tuple[Found, ...]:
    """All personal data in one text, in order and apart.

    Args:
        text: any text.
        language: en, ko or ja; all three are tried for any other.
        said_before: a place in the text -> what others said just before it, which may tell what a number is.
    """
    lowered = _lowered(text)
    found = [Found(match.start(), match.end(), "id") for match in NATIONAL_INSURANCE.finditer(lowered)]
    for one in (language,) if language in LANGUAGES else LANGUAGES:
        found += _numbers(lowered, str(one), said_before or _nothing)
        found += [Found(start, end, "email") for start, end in find_emails(lowered, str(one))]
    return tuple(_apart(found))


def mask_text(text: str, language: str | None = None) -> str:
    """A text with its personal data masked."""
    for one in reversed(find_personal_data(text, language)):
        text = f"{text[: one.start]}[{one.kind}]{text[one.end :]}"
    return text


def _numbers(text: str, language: str, said_before: Callable[[int], str]) -> Iterator[Found]:
    words = vocabulary(language)
    for run in find_numbers(text, language):
        before = f"{said_before(run.start)} {text[max(0, run.start - CONTEXT) : run.start]}"[-CONTEXT:]
        yield from _told(run, text, language, words, context_of(_lowered(before), words))


def _told(run: Number, text: str, language: str, words: Vocabulary, context: str | None) -> Iterator[Found]:
    """Of the parts of a run those that are somebody's, the longest first and none twice."""
    told: list[Number] = []
    for part in run.parts():
        if any(part.start < other.end and other.start < part.end for other in told):
            continue
        if words.amount.match(text, part.end):
            continue
        plus = text[part.start - 1 : part.start] == "+"
        if kind := kind_of(part, language, context, international=plus):
            told.append(part)
            groups = ((group[0].start, group[-1].end) for group in part.groups)
            yield Found(part.start - plus, part.end, kind, tuple(groups))


def _apart(found: Iterable[Found]) -> Iterator[Found]:
    """Those that do not overlap: the earliest, of two that begin together the longest."""
    end = 0
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if one.start >= end:
            yield one
            end = one.end


def _lowered(text: str) -> str:
    """Lower case, one character for each, so that places stay."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c if len(c.lower()) != 1 else c.lower() for c in text)


def _nothing(_place: int) -> str:
    return ""
