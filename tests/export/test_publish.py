"""Exports into a repository that already holds models."""

import hashlib
import json
from pathlib import Path

import onnx
import onnxruntime
import pytest

from callscope_export import export_all, export_classifier, export_whisper, roll_back
from callscope_export.errors import ExportError, NothingBefore, RecipeInvalid, RepositoryUnwritable

from .fixture_types import Checkpoints

ENSEMBLES = {"transcribe", "transcribe_words"}
CHANGED = {"whisper_encoder", "whisper_decoder", "whisper_aligner"}
MODELS = ["log_mel", "whisper_encoder", "whisper_decoder", "whisper_aligner"]
MODELS += ["transcribe", "transcribe_words", "whisper_tokenizer"]


def everything(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def versions(folder: Path, model: str) -> list[str]:
    return sorted(path.name for path in (folder / model).iterdir() if path.name.isdigit())


def test_the_report_names_what_was_written(checkpoint: Checkpoints, tmp_path: Path) -> None:
    lines = []
    report = export_whisper(checkpoint("multilingual"), tmp_path / "repository", progress=lines.append)
    assert [model.name for model in report.models] == MODELS
    assert (report.source, report.precision, report.profile) == ("multilingual", "int8", "cpu")
    for model in report.models:
        path = tmp_path / "repository" / model.name / "1" / "model.onnx"
        assert model.version == 1
        if model.name not in ENSEMBLES:
            assert model.size_bytes == path.stat().st_size
            assert model.graph_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert any("whisper_decoder" in line for line in lines)


def test_the_same_export_twice_changes_nothing(checkpoint: Checkpoints, tmp_path: Path) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path / "repository")
    before = everything(tmp_path / "repository")
    export_whisper(checkpoint("multilingual"), tmp_path / "repository")
    assert everything(tmp_path / "repository") == before
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


@pytest.mark.parametrize("keep_previous", [True, False])
def test_another_graph_becomes_the_next_version(
    checkpoint: Checkpoints, tmp_path: Path, *, keep_previous: bool
) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="int8")
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32", keep_previous=keep_previous)
    for model in MODELS:
        changed = model in CHANGED
        expected = "2" if changed else "1"
        assert versions(tmp_path, model) == (["1", "2"] if changed and keep_previous else [expected])
        assert f"versions: [{expected}]" in (tmp_path / model / "config.pbtxt").read_text()
    onnxruntime.InferenceSession(tmp_path / "whisper_decoder" / "2" / "model.onnx")


def served(repository: Path) -> dict[Path, bytes]:
    """Every file that the configs of a repository can lead a server to."""
    return {
        path: content
        for path, content in everything(repository).items()
        if path.name == "config.pbtxt" or f"versions: [{path.parent.name}]" in _config_of(repository, path)
    }


def _config_of(repository: Path, path: Path) -> str:
    config = repository / path.parts[0] / "config.pbtxt"
    return config.read_text() if config.is_file() else ""


def test_a_roll_back_serves_what_was_served_before_and_another_undoes_it(
    checkpoint: Checkpoints, tmp_path: Path
) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="int8")
    first = served(tmp_path)
    export_whisper(checkpoint("english_only"), tmp_path, precision="fp32")
    second = served(tmp_path)
    assert first != second
    assert set(roll_back(tmp_path)) == set(MODELS)
    assert served(tmp_path) == first
    assert set(roll_back(tmp_path)) == set(MODELS)
    assert served(tmp_path) == second


def test_a_roll_back_is_of_the_last_export_alone(checkpoint: Checkpoints, tmp_path: Path) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="int8")
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32")
    whisper = served(tmp_path)
    export_classifier(checkpoint("sentiment"), tmp_path, name="sentiment", precision="fp32")
    with pytest.raises(NothingBefore, match="no earlier export"):
        roll_back(tmp_path)
    export_classifier(checkpoint("sentiment"), tmp_path, name="sentiment", precision="int8")
    assert roll_back(tmp_path) == ("sentiment",)
    assert 'string_value: "fp32"' in (tmp_path / "sentiment" / "config.pbtxt").read_text()
    assert {path: content for path, content in served(tmp_path).items() if path in whisper} == whisper


def test_versions_carry_their_digests(checkpoint: Checkpoints, tmp_path: Path) -> None:
    for model in export_whisper(checkpoint("multilingual"), tmp_path).models:
        if model.name not in ENSEMBLES:
            version = tmp_path / model.name / str(model.version)
            manifest = json.loads((version / "manifest.json").read_text())
            digest = hashlib.sha256((version / "model.onnx").read_bytes()).hexdigest()
            assert manifest == {"model.onnx": {"bytes": model.size_bytes, "sha256": digest}}


def test_an_export_that_cannot_be_finished_changes_nothing(checkpoint: Checkpoints, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    export_whisper(checkpoint("multilingual"), repository)
    for file in (repository / "whisper_decoder").rglob("*"):
        if file.is_file():
            file.unlink()
    for folder in ("1", "warmup"):
        (repository / "whisper_decoder" / folder).rmdir()
    (repository / "whisper_decoder").rmdir()
    (repository / "whisper_decoder").write_text("in the way")
    before = everything(repository)
    with pytest.raises(RepositoryUnwritable, match="cannot be written") as caught:
        export_whisper(checkpoint("english_only"), repository, precision="fp32")
    assert caught.value.exit_code == 5
    assert everything(repository) == before
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


def test_a_repository_that_cannot_be_made_is_refused(checkpoint: Checkpoints, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RepositoryUnwritable, match="name another folder"):
        export_whisper(checkpoint("multilingual"), tmp_path / "file" / "repository")


def test_large_weights_go_into_a_file_of_their_own(
    checkpoint: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = export_whisper(checkpoint("multilingual"), tmp_path / "small", precision="fp32")
    monkeypatch.setattr("callscope_export.graph_files.LARGEST_FILE_BYTES", 10_000)
    large = export_whisper(checkpoint("multilingual"), tmp_path / "large", precision="fp32")
    for one, other in zip(small.models, large.models, strict=True):
        folder = tmp_path / "large" / other.name / "1"
        if other.name in CHANGED:
            assert (folder / "model.onnx.data").stat().st_size > (folder / "model.onnx").stat().st_size
            digest = hashlib.sha256((folder / "model.onnx").read_bytes() + (folder / "model.onnx.data").read_bytes())
            assert other.graph_sha256 == digest.hexdigest()
            onnxruntime.InferenceSession(folder / "model.onnx")
            assert len(onnx.load(folder / "model.onnx").graph.initializer) > 20
        elif other.name in ENSEMBLES:
            assert other == one


def test_models_of_other_exports_stay(checkpoint: Checkpoints, tmp_path: Path) -> None:
    export_classifier(checkpoint("sentiment"), tmp_path, name="sentiment")
    before = everything(tmp_path / "sentiment")
    export_whisper(checkpoint("multilingual"), tmp_path)
    assert everything(tmp_path / "sentiment") == before


def test_a_recipe_runs_every_export_it_names(checkpoint: Checkpoints, tmp_path: Path) -> None:
    home = checkpoint("multilingual").parent
    for name in ("multilingual", "punctuate", "sentiment"):
        checkpoint(name)
    recipe = home / "recipe.toml"
    recipe.write_text(
        f'repository = "{tmp_path}/models"\nprofile = "cpu"\n'
        '[whisper]\nsource = "multilingual"\nprecision = "fp32"\n'
        '[punctuate]\nsource = "punctuate"\n[sentiment]\nsource = "sentiment"\n'
    )
    reports = export_all(recipe)
    assert [report.precision for report in reports] == ["fp32", "int8", "int8"]
    names = [model.name for report in reports for model in report.models]
    assert sorted(names) == sorted(path.name for path in (tmp_path / "models").iterdir() if path.is_dir())
    assert [report.profile for report in export_all(recipe, repository=tmp_path / "other", profile="gpu")] == [
        "gpu"
    ] * 3
    assert (tmp_path / "other" / "README.md").is_file()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[whisper",
        '[speech]\nsource = "multilingual"',
        "[whisper]\n",
        '[whisper]\nsource = "multilingual"\ncolour = "red"',
    ],
)
def test_recipes_that_cannot_be_followed_are_refused(checkpoint: Checkpoints, tmp_path: Path, text: str) -> None:
    recipe = checkpoint("multilingual").parent / "odd.toml"
    recipe.write_text(text)
    with pytest.raises(RecipeInvalid) as caught:
        export_all(recipe, repository=tmp_path)
    assert caught.value.exit_code == 2
    with pytest.raises(RecipeInvalid):
        export_all(tmp_path / "missing.toml")


def test_every_error_says_what_happened_and_what_to_do(checkpoint: Checkpoints, tmp_path: Path) -> None:
    attempts = [
        lambda: export_whisper(tmp_path / "nothing here", tmp_path),
        lambda: export_whisper(checkpoint("sentiment"), tmp_path),
        lambda: export_whisper(checkpoint("multilingual"), tmp_path, profile="nope"),
        lambda: export_whisper(checkpoint("multilingual"), tmp_path, precision="nope"),
        lambda: export_classifier(checkpoint("multilingual"), tmp_path, name="sentiment"),
    ]
    for attempt in attempts:
        with pytest.raises(ExportError) as caught:
            attempt()
        sentences = [part for part in str(caught.value).split(". ") if part]
        assert len(sentences) >= 2
        assert str(caught.value).endswith(".")
        assert caught.value.exit_code in {2, 5}
