from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope_preprocessing.header import Declaration, read_declaration, states_mp3_length

MAGICS = [
    b"RIFF....WAVE",
    b"RF64....WAVE",
    b"RIFX....WAVE",
    b"FORM....AIFF",
    b"caff",
    b"riff",
    b".snd",
    b"dns.",
    b"\0\0\0\x18ftyp",
]


@given(st.sampled_from(MAGICS), st.binary(max_size=300))
def test_any_bytes_after_a_magic_are_read_without_an_error(magic: bytes, rest: bytes) -> None:
    file = io.BytesIO(magic + rest)
    declaration = read_declaration(file)
    assert declaration is None or 0 <= declaration.share <= 1
    assert states_mp3_length(file) in {True, False}


@given(st.binary(max_size=300))
def test_other_files_declare_nothing(content: bytes) -> None:
    assert read_declaration(io.BytesIO(b"OggS" + content)) is None


def test_chunks_of_no_size_end() -> None:
    file = io.BytesIO(b"\0\0\0\x08ftyp" + b"\0\0\0\x08free" * 100_000)
    assert read_declaration(file) is None


def test_chunks_of_any_size_end() -> None:
    for size in (1 << 62, (1 << 63) - 1, (1 << 64) - 1):
        assert read_declaration(io.BytesIO(b"caff\0\1\0\0desc" + size.to_bytes(8, "big") + bytes(64))) is None


def test_less_than_a_block_is_padding() -> None:
    assert not Declaration(1000, 1000, 4).is_cut
    assert not Declaration(1000, 997, 4).is_cut
    assert Declaration(1000, 996, 4).is_cut
    assert not Declaration(None, 10).is_cut
    assert Declaration(1000, 250).share == 0.25


@pytest.mark.parametrize("tag", [b"", b"ID3\x03\0\0\0\0\x02\x01" + bytes(257)])
@pytest.mark.parametrize(("mark", "states"), [(b"Xing", True), (b"Info", True), (b"\0\0\0\0", False)])
def test_an_mp3_states_its_length_in_its_first_frame_behind_any_tag(tag: bytes, mark: bytes, states: bool) -> None:
    file = io.BytesIO(tag + b"\xff\xfb\x90\x44" + bytes(32) + mark + bytes(400) + b"Xing")
    file.seek(7)
    assert states_mp3_length(file) is states
    assert file.tell() == 7
