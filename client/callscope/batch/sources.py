"""Which recordings a batch is of: folders, buckets, patterns, lists with metadata."""

from __future__ import annotations

import csv
import glob
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callscope.errors import SettingsInvalid
from callscope.remote.address import is_address, shown

SOUND_ENDINGS = """
.wav .flac .mp3 .ogg .oga .opus .m4a .mp4 .aac .amr .3gp .webm .mkv .mov .avi .wma .aif .aiff .au .snd .caf .w64 .gsm
"""
SOUNDS = frozenset(SOUND_ENDINGS.split())
"""Endings that a folder is searched for; a file that is named is taken whatever it ends in."""
LISTS = frozenset({".csv", ".jsonl"})
PATH_COLUMNS = ("path", "file", "source", "recording", "audio")
WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Item:
    """One recording of a batch, and what is known of it.

    Attributes:
        source: its path, or its address elsewhere, which may hold a signature.
        metadata: what a list tells of it.
        version: what its storage tells its state by, where that was listed.
    """

    source: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def name(self) -> str:
        """What people may be told: its source without secrets."""
        return shown(self.source)

    @property
    def is_remote(self) -> bool:
        """Whether it has to be fetched."""
        return is_address(self.source)


def find_items(sources: Sequence[str]) -> list[Item]:
    """The recordings, each path once, in order of their names within a source.

    Args:
        sources: recordings, folders (with their subfolders), patterns such as `in/**/*.wav`, the same in buckets
            (`s3://…`), or lists: CSV or JSON Lines with a column `path` (from the list's folder, or an address), whose
            other columns are metadata.

    Raises:
        SettingsInvalid: a source is not there, holds no recording, or a list has no paths.
        RemoteError: a bucket cannot be listed.
        ExtraMissing: what reads such addresses is not installed.
    """
    found: dict[str, Item] = {}
    for source in sources:
        items = list(_items(source))
        if not items:
            raise SettingsInvalid(
                f"There is no recording in {shown(source)}. Name a recording, a folder, a pattern or a list."
            )
        for item in items:
            found.setdefault(item.source, item)
    return list(found.values())


def _items(source: str) -> Iterator[Item]:
    if is_address(source):
        from callscope.remote.listing import list_recordings  # noqa: PLC0415  fsspec is for who needs it

        yield from (Item(listed.address, version=listed.version) for listed in list_recordings(source, SOUNDS))
        return
    path = Path(source)
    if path.is_dir():
        inside = (file for file in path.rglob("*") if file.suffix.lower() in SOUNDS and file.is_file())
        yield from (Item(str(file)) for file in sorted(inside))
    elif path.suffix.lower() in LISTS:
        yield from _listed(path)
    elif path.is_file():
        yield Item(str(path))
    elif WILD.intersection(source):
        yield from (Item(name) for name in _matching(source) if Path(name).is_file())
    else:
        raise SettingsInvalid(f"There is no {source}. Name a recording, a folder, a pattern or a list.")


def _matching(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern


def _listed(path: Path) -> Iterator[Item]:
    for number, row in enumerate(_rows(path), start=1):
        column = next((name for name in PATH_COLUMNS if row.get(name)), None)
        if column is None:
            raise SettingsInvalid(f"Row {number} of {path} has no path. Give it a column `path`.")
        metadata = {key: value for key, value in row.items() if key != column and value}
        place = row[column]
        yield Item(place if is_address(place) else str(path.parent / place), metadata)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            yield from ({k: v or "" for k, v in row.items() if k} for row in csv.DictReader(text.splitlines()))
        else:
            yield from ({k: str(v) for k, v in json.loads(line).items()} for line in text.splitlines() if line.strip())
    except (OSError, ValueError, AttributeError, csv.Error) as error:
        raise SettingsInvalid(f"The list {path} cannot be read ({error}). Correct it.") from error
