"""Which recordings a batch has of a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bucket_server import BucketServer

from callscope.batch.sources import find_items
from callscope.errors import RemoteRefused, SettingsInvalid
from callscope.remote.address import shown

NAMES = ("2026/01/a.wav", "2026/01/note.txt", "2026/02/deep/b.MP3", "2026/02/c.flac", "2025/d.wav", "2026x/e.wav")


@pytest.fixture
def filled(storage: BucketServer, bucket: str) -> str:
    storage.fill(bucket, {name: name.encode() for name in (*NAMES, "empty/")})
    return bucket


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("/", ["2025/d.wav", "2026/01/a.wav", "2026/02/c.flac", "2026/02/deep/b.MP3", "2026x/e.wav"]),
        ("", ["2025/d.wav", "2026/01/a.wav", "2026/02/c.flac", "2026/02/deep/b.MP3", "2026x/e.wav"]),
        ("/2026/", ["2026/01/a.wav", "2026/02/c.flac", "2026/02/deep/b.MP3"]),
        ("/2026", ["2026/01/a.wav", "2026/02/c.flac", "2026/02/deep/b.MP3"]),
        ("/2026/**/*.wav", ["2026/01/a.wav"]),
        ("/2026/0?/*", ["2026/01/a.wav", "2026/01/note.txt", "2026/02/c.flac"]),
        ("/2026/01/note.txt", ["2026/01/note.txt"]),
    ],
)
def test_a_prefix_a_pattern_and_a_name_give_their_recordings(filled: str, place: str, found: list[str]) -> None:
    assert [item.source for item in find_items([f"s3://{filled}{place}"])] == [f"s3://{filled}/{n}" for n in found]


@pytest.mark.parametrize("place", ["/empty/", "/2024/", "/*.ogg"])
def test_a_place_without_recordings_is_a_sentence(filled: str, place: str) -> None:
    with pytest.raises(SettingsInvalid, match="There is no recording in s3://"):
        find_items([f"s3://{filled}{place}"])


@pytest.mark.parametrize("place", ["nowhere/", "nowhere", "nowhere/a.wav"])
def test_a_bucket_that_is_not_there_is_a_sentence(bucket: str, place: str) -> None:
    with pytest.raises(RemoteRefused, match="There is no s3://"):
        find_items([f"s3://{bucket}-{place}"])


def test_a_list_may_name_addresses_beside_paths(tmp_path: Path) -> None:
    listed = tmp_path / "calls.csv"
    signed = "https://h/a.wav?X-Amz-Signature=secret"
    listed.write_text(f"path,team\ns3://b/a.wav,A\nb.wav,B\n{signed},C\n", encoding="utf-8")
    items = find_items([str(listed)])
    assert [item.source for item in items] == ["s3://b/a.wav", str(tmp_path / "b.wav"), signed]
    assert [item.metadata["team"] for item in items] == ["A", "B", "C"]
    assert items[2].name == "https://h/a.wav"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("s3://key:secret@bucket/a?b#c.wav", "s3://bucket/a?b#c.wav"),
        ("https://user:secret@host:8443/a%20b.wav?sig=secret#secret", "https://host:8443/a%20b.wav"),
        ("sftp://user:secret@host/a.wav", "sftp://host/a.wav"),
        ("calls/a?b=c.wav", "calls/a?b=c.wav"),
    ],
)
def test_what_is_shown_of_an_address_has_no_secret(address: str, name: str) -> None:
    assert shown(address) == name
