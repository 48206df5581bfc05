"""How well sentences are found, with all marks and with none, as a table in docs/text.md.

The treebank is a TSV with a sentence a line and a column a language. Sentences are joined five by five, English and
Korean with a space, Japanese without, and cut again: what counts are the ends within a paragraph, by their offsets.
"""

from __future__ import annotations

import argparse
import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from callscope.errors import ExtraMissing
from callscope.text.sentences import split_sentences

LANGUAGES = {"en": "English", "ja": "Japanese", "ko": "Korean"}
PARAGRAPH = 5
MARKED_BY_ONE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")
BARE_BY_ONE = {
    "en": re.compile(r"(?!)"),
    "ja": re.compile(r"(?:です|ます|ました|でした|である|だった|した|た|だ)(?=[^、とがけのし])"),
    "ko": re.compile(r"(?<=[다요죠까])\s+"),
}
"""One expression for each language, to compare with."""
BEGIN, END = "<!-- measured -->", "<!-- end -->"

Ends = Callable[[str], set[int]]


@dataclass(frozen=True, slots=True)
class Score:
    """Ends found, of those that there are."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the ends found that are ends."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Share of the ends that are found."""
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def sentences_of(treebank: Path, language: str) -> list[str]:
    """Every sentence of a language."""
    with treebank.open(encoding="utf-8", newline="") as lines:
        return [row[language] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def without_marks(sentence: str) -> str:
    """The sentence without any character that Unicode calls punctuation."""
    return " ".join("".join(one for one in sentence if unicodedata.category(one)[0] != "P").split())


def paragraphs(sentences: Sequence[str], language: str) -> Iterator[tuple[str, set[int]]]:
    """Each paragraph, and the offsets at which its second and later sentences begin."""
    space = "" if language == "ja" else " "
    for first in range(0, len(sentences), PARAGRAPH):
        *others, last = sentences[first : first + PARAGRAPH]
        parts = [*(sentence + space for sentence in others), last]
        yield "".join(parts), set(accumulate(map(len, parts[:-1])))


def measure(sentences: Sequence[str], language: str, ends: Ends) -> Score:
    """Compare the ends found with those that there are."""
    right = wrong = missed = 0
    for text, there in paragraphs(sentences, language):
        found = ends(text)
        right += len(found & there)
        wrong += len(found - there)
        missed += len(there - found)
    return Score(right, wrong, missed)


def by_rules(language: str) -> Ends:
    """What Callscope does."""
    return lambda text: set(accumulate(map(len, split_sentences(text, language)[:-1])))


def by_kiwi(language: str) -> Ends:
    """The same with Kiwi."""
    return lambda text: set(accumulate(map(len, split_sentences(text, language, model="kiwi")[:-1])))


def by_one_expression(pattern: re.Pattern[str]) -> Ends:
    """An end behind each match."""
    return lambda text: {found.end() for found in pattern.finditer(text)} - {len(text)}


def engines_of(language: str, *, marked: bool) -> Iterator[tuple[str, Ends]]:
    """Everything that is compared."""
    yield "rules", by_rules(language)
    if language == "ko":
        yield "Kiwi", by_kiwi(language)
    yield "one regular expression", by_one_expression(MARKED_BY_ONE if marked else BARE_BY_ONE[language])


def rows(treebank: Path) -> Iterator[str]:
    """Lines of the table; without Kiwi where it is not installed."""
    yield "| language | marks | engine | precision | recall | F1 |\n|---|---|---|---:|---:|---:|\n"
    for language, name in LANGUAGES.items():
        written = sentences_of(treebank, language)
        for marked in (True, False):
            sentences = written if marked else [without_marks(sentence) for sentence in written]
            for engine, ends in engines_of(language, marked=marked):
                try:
                    score = measure(sentences, language, ends)
                except ExtraMissing:
                    continue
                figures = f"{score.precision:.1%} | {score.recall:.1%} | {score.f1:.1%}"
                yield f"| {name} | {'all' if marked else 'none'} | {engine} | {figures} |\n"


def main() -> None:
    """Print the table, and put it into the page if one is named."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("treebank", type=Path)
    arguments.add_argument("--page", type=Path, help="a page with a place for the table")
    given = arguments.parse_args()
    table = ""
    for row in rows(given.treebank):
        print(row, end="", flush=True)
        table += row
    if given.page:
        before, _, rest = given.page.read_text().partition(BEGIN)
        given.page.write_text(f"{before}{BEGIN}\n{table}{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
