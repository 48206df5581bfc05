"""`callscope tune` as a process: it measures real servers, and leaves nothing when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import soundfile

ROOT = Path(__file__).parents[2]


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    calls, scratch = tmp_path / "calls", tmp_path / "scratch"
    calls.mkdir()
    scratch.mkdir()
    path = sorted((ROOT / "demo" / "calls").glob("*.wav"))[0]
    sound, rate_hz = soundfile.read(path, frames=10 * soundfile.info(path).samplerate, dtype="int16")
    soundfile.write(calls / "short.wav", sound, rate_hz)
    command = [sys.executable, "-m", "callscope", "tune", "--calls", str(calls), "--rounds", "1", *arguments]
    command += ["--repository", str(ROOT / "model_repository"), "--trial-s", "0.2", "--in-flight", "2"]
    made = ROOT / ".venv-server"
    own = {"CALLSCOPE_SERVER_ENVIRONMENT": str(made)} if made.is_dir() else {}
    return subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, **own, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_stops_in_the_middle_and_leaves_nothing(tmp_path: Path) -> None:
    process = start(tmp_path)
    deadline_s = time.monotonic() + 60
    while not list((tmp_path / "scratch").glob("callscope-tune-*")):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted." in told
    assert "Traceback" not in told
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not (tmp_path / "tuned.toml").exists()


def test_a_folder_without_recordings_is_told(tmp_path: Path) -> None:
    process = start(tmp_path, "--calls", str(tmp_path / "scratch"))
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "holds no recording with speech" in told
