"""Options, settings and languages that make no sense: exit code 2, and the sentence says what would."""

from __future__ import annotations

from pathlib import Path

import pytest

from .running import Cli


def test_a_language_that_the_recogniser_does_not_know(callscope: Cli, call: Path, server: tuple[str, str]) -> None:
    callscope("analyze", call, "--language", "xx", *server).failed_with(2, "'xx'", "en, ja, ko")


def test_a_key_of_the_settings_file_that_is_no_setting(callscope: Cli, call: Path, here: Path) -> None:
    (here / "callscope.toml").write_text('langauge = "en"\n')
    callscope("analyze", call).failed_with(2, "callscope.toml", "langauge", "callscope config")


def test_a_setting_that_makes_no_sense(callscope: Cli, call: Path) -> None:
    ended = callscope("analyze", call, env={"CALLSCOPE_CONCURRENCY": "0"})
    ended.failed_with(2, "CALLSCOPE_CONCURRENCY", "'0'", "callscope config")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["analyze", "call.wav", "--langauge", "en"], "No such option: --langauge"),
        (["analyze"], "Missing argument 'FILE"),
        (["analyse", "call.wav"], "No such command 'analyse'"),
        (["analyze", "call.wav", "--format", "xml"], "'xml'"),
    ],
)
def test_an_option_or_a_verb_that_does_not_exist(callscope: Cli, arguments: list[str], said: str) -> None:
    ended = callscope(*arguments)
    assert (ended.code, ended.stdout, ended.left) == (2, "", ())
    assert said in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
