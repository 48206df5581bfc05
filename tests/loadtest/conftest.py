"""A short recording to load servers with, and a generator in this process."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
import soundfile

SECONDS = 14


@pytest.fixture(scope="session")
def short_calls(demo_calls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the beginning of a demo call."""
    folder = tmp_path_factory.mktemp("calls")
    path = sorted(demo_calls.glob("*.wav"))[0]
    rate_hz = soundfile.info(path).samplerate
    sound, _ = soundfile.read(path, frames=SECONDS * rate_hz, dtype="int16")
    soundfile.write(folder / "short.wav", sound, rate_hz)
    return folder


@pytest.fixture
def options(short_calls: Path, tmp_path: Path) -> Namespace:
    """A generator's options."""
    return Namespace(
        servers=("grpc://127.0.0.1:1",),
        calls=short_calls,
        arrivals="constant",
        model="transcribe",
        tokens=0,
        timeout=30.0,
        seed="0",
        results=tmp_path / "results.jsonl",
    )
