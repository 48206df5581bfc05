"""`callscope demo`: the first thing that a stranger runs, with the server that it starts for itself."""

from __future__ import annotations

import csv
import json
import re
import tomllib
import unicodedata
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import jiwer
import pytest

from .running import Ended, run

if TYPE_CHECKING:
    from callscope_server.environment import Environment

LANGUAGES = ("en", "ja", "ko")
MOST_ERRORS = 0.10
MOST_WORD_DIFFERENCE_S = 0.08
LEAST_COMPARED = {"en": 0.8, "ja": 0.6, "ko": 0.8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def ended(folder: Path, server_environment: Environment) -> Ended:
    wide = {"COLUMNS": "200"}  # a sentence is not wrapped, and so can be found in what is printed
    return run("demo", cwd=folder, env=wide | {"CALLSCOPE_SERVER_ENVIRONMENT": str(server_environment.path)})


@pytest.fixture(scope="module")
def results(ended: Ended, folder: Path) -> dict[str, Any]:
    """Language -> the result, from where the command says it is."""
    (said,) = [line for line in ended.stdout.splitlines() if line.startswith("The full results are in ")]
    files = [folder / name for name in said.removeprefix("The full results are in ").removesuffix(".").split(", ")]
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def test_it_ends_well_and_leaves_nothing_running(ended: Ended) -> None:
    assert (ended.code, ended.left) == (0, ()), ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_results_are_where_it_says(results: dict[str, Any], validate: Callable[[Any], None]) -> None:
    assert tuple(results) == LANGUAGES
    for result in results.values():
        validate(result)
        assert {speaker["role"] for speaker in result["speakers"]} == {"agent", "customer"}
        assert result["processing"]["degraded"] == []


def test_each_conversation_is_printed_with_its_measures(ended: Ended, results: dict[str, Any]) -> None:
    shown = "".join(ended.stdout.split())
    for result in results.values():
        said = [sentence["text"] for segment in result["segments"] for sentence in segment["sentences"]]
        assert said
        assert [text for text in said if "".join(text.split()) not in shown] == []
    for name in ("Real-time factor", "talk time", "WER", "CER"):
        assert name in ended.stdout


def test_the_language_of_each_is_heard(results: dict[str, Any]) -> None:
    assert {language: result["call"]["language"] for language, result in results.items()} == {
        language: language for language in LANGUAGES
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_right_nine_times_in_ten(results: dict[str, Any], demo_calls: Path, language: str) -> None:
    assert error_rate(results[language], demo_calls, language) <= MOST_ERRORS


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_error_rate_that_is_printed_is_the_one_that_jiwer_finds(
    ended: Ended, results: dict[str, Any], demo_calls: Path, language: str
) -> None:
    (row,) = [line.split() for line in ended.stdout.splitlines() if line.startswith(f" {language}.wav ")]
    rate = row[row.index("WER" if language == "en" else "CER") + 1]
    assert float(rate.removesuffix("%")) / 100 == pytest.approx(
        error_rate(results[language], demo_calls, language), abs=0.0006
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_where_the_synthesizers_put_them(results: dict[str, Any], demo_calls: Path, language: str) -> None:
    with (demo_calls / f"{language}.words.tsv").open(encoding="utf-8", newline="") as file:
        spoken = list(csv.DictReader(file, delimiter="\t"))
    differences_s = []
    for speaker in results[language]["speakers"]:
        rows = [(row["word"], float(row["start_s"])) for row in spoken if row["speaker"] == speaker["role"]]
        segments = [segment for segment in results[language]["segments"] if segment["speaker"] == speaker["id"]]
        words = [(word["word"], word["start"]) for segment in segments for word in segment["words"]]
        said, heard = units(rows, language), units(words, language)
        same = SequenceMatcher(None, [unit for unit, _ in said], [unit for unit, _ in heard], autojunk=False)
        for first, second, count in same.get_matching_blocks():
            pairs = zip(said[first : first + count], heard[second : second + count], strict=True)
            differences_s += [abs(one - other) for (_, one), (_, other) in pairs if one >= 0 and other >= 0]
    assert len(differences_s) >= LEAST_COMPARED[language] * len(spoken)
    assert median(differences_s) <= MOST_WORD_DIFFERENCE_S


def units(words: list[tuple[str, float]], language: str) -> list[tuple[str, float]]:
    """What is compared, and when it starts: words; in Japanese characters, of which only a word's first has a time.

    There the reference has morphemes and the recogniser groups of characters, and a time is told by both where both
    begin one.
    """
    if language != "ja":
        return words
    return [(one, start_s if place == 0 else -1.0) for word, start_s in words for place, one in enumerate(word)]


def error_rate(result: dict[str, Any], demo_calls: Path, language: str) -> float:
    """Word errors in English, character errors elsewhere, of both speakers together, without marks and capitals."""
    script = tomllib.loads((demo_calls / f"{language}.toml").read_text(encoding="utf-8"))
    spoken, heard = [], []
    for role in ("agent", "customer"):
        (speaker,) = [each["id"] for each in result["speakers"] if each["role"] == role]
        turns = [turn for turn in script["turn"] if turn["speaker"] == role]
        spoken.append(plain(" ".join(text for turn in turns for text, _ in turn["sentences"]), language))
        heard.append(plain(" ".join(s["text"] for s in result["segments"] if s["speaker"] == speaker), language))
    return jiwer.wer(spoken, heard) if language == "en" else jiwer.cer(spoken, heard)


def plain(text: str, language: str) -> str:
    words = re.sub(r"[^\w\s]", "", unicodedata.normalize("NFC", text)).lower().split()
    return (" " if language == "en" else "").join(words)
