"""Recordings that are none: one sentence, exit code 3, and no server is started for them."""

from __future__ import annotations

import ctypes
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from .running import Cli

RATE_HZ = 8000
DAY_S = 24 * 3600
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def write_text(file: Path) -> None:
    file.write_text("Thank you for calling. This call is not recorded.\n" * 40)


def write_truncated(file: Path) -> None:
    soundfile.write(file, np.zeros(RATE_HZ, np.float32), RATE_HZ)
    file.write_bytes(file.read_bytes()[:5000])


def write_zero_length(file: Path) -> None:
    soundfile.write(file, np.zeros(0, np.float32), RATE_HZ)


def write_a_day_in_a_kilobyte(file: Path) -> None:
    data_bytes = DAY_S * RATE_HZ * 2
    header = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16
    )
    file.write_bytes((header + struct.pack("<4sI", b"data", data_bytes)).ljust(1024, b"\0"))


def write_nan(file: Path) -> None:
    samples = np.zeros(RATE_HZ, np.float32)
    samples[4000:4010] = np.nan
    soundfile.write(file, samples, RATE_HZ, subtype="FLOAT")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda file: None, "does not exist"),
    "empty": (Path.touch, "is empty"),
    "text": (write_text, "holds text"),
    "truncated": (write_truncated, "is cut short"),
    "zero_length": (write_zero_length, "no sound"),
    "a_day_in_a_kilobyte": (write_a_day_in_a_kilobyte, "is cut short"),
    "nan": (write_nan, "NaN"),
    "directory": (Path.mkdir, "is a directory"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_recording_is_refused_in_one_sentence(kind: str, tmp_path: Path, callscope: Cli) -> None:
    make, said = BAD[kind]
    file = tmp_path / f"{kind}.wav"
    make(file)
    callscope("analyze", file).failed_with(3, f"{kind}.wav", said)


def obey_permissions() -> None:
    """Give up, in a child about to run, what lets root read every file."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "the capability cannot be given up")


def test_a_file_that_may_not_be_read_is_refused_in_one_sentence(noise: Path, callscope: Cli) -> None:
    noise.chmod(0)
    callscope("analyze", noise, before=obey_permissions).failed_with(3, "noise.wav", "may not be read")


def test_no_server_is_started_for_files_that_are_no_recordings(tmp_path: Path, callscope: Cli) -> None:
    """The server's environment could not even be made where this one is said to be."""
    write_text(tmp_path / "text.wav")
    ended = callscope("analyze", tmp_path / "text.wav", env={"CALLSCOPE_SERVER_ENVIRONMENT": "/dev/null/nowhere"})
    ended.failed_with(3, "text.wav")


def test_a_bad_file_among_several_does_not_stop_the_others(
    tmp_path: Path, noise: Path, here: Path, callscope: Cli, server: tuple[str, str]
) -> None:
    write_truncated(tmp_path / "cut.wav")
    (tmp_path / "last.wav").write_bytes(noise.read_bytes())
    ended = callscope("analyze", noise, tmp_path / "cut.wav", tmp_path / "last.wav", "--output", "results/", *server)
    assert ended.code == 3
    assert "Traceback" not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if "cut.wav" in line]
    assert len(said) == 1
    assert said[0].startswith(f"{tmp_path / 'cut.wav'} is cut short")
    assert sorted(file.name for file in (here / "results").iterdir()) == ["last.json", "noise.json"]
    assert json.loads((here / "results" / "last.json").read_text())["segments"] == []
    assert ended.left == ()
