"""Which files are transcripts, and what reads each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from callscope.transcripts import csv, json, jsonl, rttm, srt, vtt
from callscope.transcripts.document import Document, read_document
from callscope.transcripts.errors import TranscriptInvalid
from callscope.transcripts.transcript import Transcript

READERS: Mapping[str, Callable[[Document], tuple[Transcript, ...]]] = {
    ".srt": srt.read,
    ".vtt": vtt.read,
    ".json": json.read,
    ".jsonl": jsonl.read,
    ".csv": csv.read,
    ".tsv": csv.read,
    ".rttm": rttm.read,
}
"""By a file's ending."""
MAX_CUES = 20_000
"""Twelve hours of talk have fewer."""
MAX_CHARACTERS = 100_000
"""Hours of talk in one segment have fewer."""


def read_transcripts(path: Path, encoding: str = "") -> tuple[Document, tuple[Transcript, ...]]:
    """The file, and each call in it: one, but for JSON Lines.

    Raises:
        TranscriptInvalid: it cannot be read as what its ending says; the message says what and where is wrong.
    """
    reader = READERS.get(path.suffix.lower())
    if not reader:
        raise TranscriptInvalid(
            str(path), f"transcripts are told apart by their endings: {', '.join(READERS)}. {_hint(path)}"
        )
    document = read_document(path, encoding)
    transcripts = reader(document)
    if not transcripts:
        raise document.damaged("it is empty. Name a transcript")
    for transcript in transcripts:
        _require_measurable(transcript, document)
    return document, transcripts


def find_transcripts(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files, and those in the folders, in order of name; the text beside an RTTM file is read with it.

    Raises:
        TranscriptInvalid: a folder holds none.
    """
    found = dict.fromkeys(file for path in paths for file in (_in_folder(path) if path.is_dir() else [path]))
    words = {file.with_suffix(".txt") for file in found if file.suffix.lower() == ".rttm"}
    return tuple(file for file in found if file not in words)


def _require_measurable(transcript: Transcript, document: Document) -> None:
    cues = transcript.cues
    if not cues and transcript.duration_s is None:
        raise document.damaged("it holds no words. Name a transcript that does")
    if len(cues) > MAX_CUES:
        problem = f"it has {len(cues)} segments, and at most {MAX_CUES} are read"
        raise document.damaged(f"{problem}. Give each call a file of its own")
    long = next((number for number, cue in enumerate(cues, start=1) if len(cue.text) > MAX_CHARACTERS), None)
    if long is not None:
        problem = f"it has more than {MAX_CHARACTERS} characters, which nobody says at a stretch"
        raise document.damaged(
            f"{problem}. Export the transcript with the times of shorter segments", f"segment {long}"
        )


def _in_folder(folder: Path) -> Iterator[Path]:
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in READERS and file.is_file())
    if not files:
        raise TranscriptInvalid(str(folder), f"there are no transcripts in it. Their endings are {', '.join(READERS)}")
    yield from files


def _hint(path: Path) -> str:
    if path.suffix.lower() == ".txt":
        return f"The words in a .txt are read with the times in {path.with_suffix('.rttm').name} beside it"
    return "Give it the one that it has"
