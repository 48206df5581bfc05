"""`callscope export` over a checkpoint of a few numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callscope.cli import app

from ...export.random_checkpoint import write_bert

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


def test_a_comparison_that_cannot_be_made_is_said_in_a_sentence(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscope_export.gate.can_compare", lambda: False)
    for verb, source in (("sentiment", "mood"), ("punctuation", "tagger")):
        result = export(verb, tmp_path / source, "--parity", "require", "--repository", tmp_path / "own")
        assert result.exit_code == 5
        assert "callscope[referee]" in result.stderr
        assert not (tmp_path / "own").exists()
