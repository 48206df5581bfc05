"""A recording that is piped in, with a header or without one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
import soundfile

from .running import Cli


@contextmanager
def pipe(*command: str) -> Iterator[IO[bytes]]:
    """The output of a command, which may be left unread."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        yield process.stdout
        process.stdout.close()
        process.kill()


@pytest.fixture
def raw_call(call: Path, tmp_path: Path) -> tuple[Path, str]:
    """The English demo call as mu-law without a header, and what it holds."""
    samples, rate_hz = soundfile.read(call, always_2d=True)
    path = tmp_path / "call.ul"
    soundfile.write(path, samples, rate_hz, format="RAW", subtype="ULAW")
    return path, f"mulaw:{rate_hz}:{samples.shape[1]}"


def said(output: str) -> list[str]:
    return [segment["text"] for segment in json.loads(output)["segments"]]


def test_it_is_analysed_as_the_file_is(call: Path, here: Path, callscope: Cli, server: tuple[str, str]) -> None:
    by_name = callscope("analyze", call, "--format", "json", *server)
    with pipe("cat", str(call)) as stdin:
        ended = callscope("analyze", "-", "--output", "results/", *server, stdin=stdin)
    assert (ended.code, ended.left) == (0, ())
    result = json.loads((here / "results" / "stdin.json").read_text())
    assert result["call"]["source"] == "-"
    assert result["call"]["id"] == json.loads(by_name.stdout)["call"]["id"]
    assert [segment["text"] for segment in result["segments"]] == said(by_name.stdout) != []


def test_with_a_server_of_its_own_it_is_read_only_once(call: Path, callscope: Cli) -> None:
    with pipe("cat", str(call)) as stdin:
        ended = callscope("analyze", "-", "--format", "json", stdin=stdin)
    assert (ended.code, ended.left) == (0, ()), ended.stderr
    assert said(ended.stdout) != []


def test_it_is_read_first_whatever_its_place(call: Path, noise: Path, callscope: Cli, server: tuple[str, str]) -> None:
    with pipe("cat", str(call)) as stdin:
        ended = callscope("analyze", noise, "-", "--format", "json", *server, stdin=stdin)
    assert [json.loads(line)["call"]["source"] for line in ended.stdout.splitlines()] == ["-", str(noise)]


@pytest.mark.parametrize("piped", [False, True])
def test_raw_sound_is_read_as_it_is_said_to_be(
    *, raw_call: tuple[Path, str], piped: bool, callscope: Cli, server: tuple[str, str]
) -> None:
    path, form = raw_call
    with pipe("cat", str(path)) as stdin:
        ended = callscope("analyze", "-" if piped else path, "--raw", form, "--format", "json", *server, stdin=stdin)
    assert ended.code == 0, ended.stderr
    assert said(ended.stdout) != []


def test_what_is_no_sound_is_refused_and_no_server_started(callscope: Cli) -> None:
    with pipe("yes", "This is no recording.") as stdin:
        ended = callscope(
            "analyze", "-", "--max-bytes", 100_000, stdin=stdin, env={"CALLSCOPE_SERVER_ENVIRONMENT": "/dev/null/none"}
        )
    ended.failed_with(3, "standard input is larger than 100,000 bytes", "max_bytes")


def test_nothing_piped_in_is_refused_in_one_sentence(callscope: Cli) -> None:
    callscope("analyze", "-").failed_with(3, "standard input is empty")


def test_more_channels_than_are_taken(call: Path, callscope: Cli) -> None:
    callscope("analyze", call, "--max-channels", 1).failed_with(3, "en.wav has 2 channels", "max_channels")


def test_raw_sound_that_cannot_be_is_an_error_of_usage(call: Path, callscope: Cli) -> None:
    ended = callscope("analyze", call, "--raw", "opus:8000:1")
    ended.failed_with(2, "--raw cannot be 'opus:8000:1'", "Choose one of mulaw")
