"""A transcript from a text, and what it says in short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from callscope.transcripts.errors import TranscriptInvalid
from callscope.transcripts.files import read_transcripts
from callscope.transcripts.transcript import Transcript

Read = Callable[..., Transcript]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a file with this name and text; of several calls the first."""

    def read_text(name: str, text: str | bytes, encoding: str = "") -> Transcript:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_transcripts(file, encoding)[1][0]

    return read_text


@pytest.fixture
def refused(read: Read) -> Callable[..., str]:
    """Read what cannot be read; the sentence that says why."""

    def refuse(name: str, text: str | bytes, encoding: str = "") -> str:
        with pytest.raises(TranscriptInvalid) as caught:
            read(name, text, encoding)
        assert caught.value.exit_code == 3
        message = str(caught.value)
        assert name in message
        assert message.endswith(".")
        assert "\n" not in message
        return message

    return refuse


@pytest.fixture
def said() -> Callable[[Transcript], list[tuple[float, float, str | None, str]]]:
    """Start, end, speaker and text of each cue."""
    return lambda transcript: [(cue.start_s, cue.end_s, cue.speaker, cue.text) for cue in transcript.cues]
