"""`callscope export` over a checkpoint of a few numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from callscope.cli import app

from ...export.random_checkpoint import TinyWhisper, write_bert, write_whisper

LABELS = ("positive", "negative", "neutral")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Two classifiers, and where they go."""
    for name in ("tagger", "mood"):
        (tmp_path / name).mkdir()
    write_bert(tmp_path / "tagger", labels=("O", "COMMA", "PERIOD", "QUESTION"))
    write_bert(tmp_path / "mood", labels=LABELS, per_token=False)
    file = tmp_path / "models.toml"
    file.write_text('repository = "models"\n[punctuate]\nsource = "tagger"\n[sentiment]\nsource = "mood"\n')
    return file


@pytest.fixture
def whisper(tmp_path: Path) -> Path:
    """A Whisper of three languages."""
    folder = tmp_path / "whisper"
    folder.mkdir()
    return write_whisper(folder, TinyWhisper(seed=3))


def export(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["export", *(str(argument) for argument in arguments)])
    assert "Traceback" not in result.output
    return result


def test_all_runs_a_recipe_and_names_what_it_wrote(recipe: Path) -> None:
    result = export("all", "--recipe", recipe)
    assert result.exit_code == 0
    assert result.stdout.split() == ["punctuate", "punctuate_tokenizer", "sentiment", "sentiment_tokenizer"]
    assert "profile cpu" in result.stderr
    assert (recipe.parent / "models" / "sentiment" / "config.pbtxt").is_file()


def test_flags_win_over_the_recipe(recipe: Path, tmp_path: Path) -> None:
    result = export("all", "--recipe", recipe, "--repository", tmp_path / "other", "--profile", "gpu")
    assert result.exit_code == 0
    assert "KIND_GPU" in (tmp_path / "other" / "sentiment" / "config.pbtxt").read_text()
    assert not (tmp_path / "models").exists()


def test_all_needs_a_recipe_that_can_be_read(tmp_path: Path) -> None:
    without = export("all")
    assert (without.exit_code, "--recipe" in without.stderr) == (2, True)
    absent = export("all", "--recipe", tmp_path / "absent.toml")
    assert absent.exit_code == 2
    assert "absent.toml cannot be read" in absent.stderr


def test_one_classifier_goes_where_it_is_told(recipe: Path, tmp_path: Path) -> None:
    result = export("sentiment", tmp_path / "mood", "--precision", "fp32", "--repository", tmp_path / "own")
    assert result.exit_code == 0
    assert sorted(folder.name for folder in (tmp_path / "own").iterdir() if folder.is_dir()) == result.stdout.split()
    assert '"fp32"' in (tmp_path / "own" / "sentiment" / "config.pbtxt").read_text()


def test_gpus_languages_and_instances_go_into_the_configs(whisper: Path, tmp_path: Path) -> None:
    options = ["--profile", "gpu", "--precision", "fp32", "--parity", "off", "--repository", tmp_path / "own"]
    result = export("whisper", whisper, *options, "--gpus", "0,1", "--instances", 2, "--languages", "ko, ja")
    assert result.exit_code == 0
    config = (tmp_path / "own" / "whisper_decoder" / "config.pbtxt").read_text()
    assert "count: 2 kind: KIND_GPU gpus: [0, 1]" in config
    assert r"\"ja\"" in config
    assert r"\"en\"" not in config


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profile", "gpu", "--gpus", "0,first"], "'first' is no GPU"),
        (["--gpus", "0"], "uses no GPU"),
        (["--languages", "ja,de"], "'de'. Choose among en, ja, ko"),
        (["--eval", "nowhere"], "no folder nowhere"),
        (["--instances", 0], "--instances"),
    ],
)
def test_options_that_make_no_sense_exit_with_2(
    whisper: Path, tmp_path: Path, options: list[object], said: str
) -> None:
    result = export("whisper", whisper, "--repository", tmp_path / "own", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "own").exists()


def test_an_evaluation_shows_its_error_rates(whisper: Path, tmp_path: Path) -> None:
    (tmp_path / "calls" / "ja").mkdir(parents=True)
    soundfile.write(tmp_path / "calls" / "ja" / "a.wav", np.full(16_000, 99, np.int16), 16_000)
    (tmp_path / "calls" / "ja" / "a.txt").write_text("はい", encoding="utf-8")
    options = ["--repository", tmp_path / "own", "--precision", "fp32", "--parity", "off"]
    result = export("whisper", whisper, *options, "--eval", tmp_path / "calls")
    assert result.exit_code == 0
    assert re.search(r"^ja: CER [0-9.]+% on 1 recordings; .*: [0-9.]+%$", result.stderr, re.MULTILINE)


def test_what_of_a_checkpoint_is_not_taken_as_it_is_is_said(whisper: Path, tmp_path: Path) -> None:
    path = whisper / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"alignment_heads": [[9, 1]]}))
    result = export("whisper", whisper, "--repository", tmp_path / "own", "--parity", "off")
    assert result.exit_code == 0
    assert "Note: alignment_heads names [9, 1]" in result.stderr


def test_the_help_says_what_each_precision_is() -> None:
    shown = " ".join(export("whisper", "--help").stdout.split())
    for name in ("int8: ", "fp16: ", "w8a16: ", "fp32: "):
        assert name in shown


def test_a_comparison_that_cannot_be_made_is_said_in_a_sentence(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscope_export.gate.can_compare", lambda: False)
    for verb, source in (("sentiment", "mood"), ("punctuation", "tagger")):
        result = export(verb, tmp_path / source, "--parity", "require", "--repository", tmp_path / "own")
        assert result.exit_code == 5
        assert "callscope[referee]" in result.stderr
        assert not (tmp_path / "own").exists()
