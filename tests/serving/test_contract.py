"""The bundled model repository: what its README promises is what its configs and graphs are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest

from callscope_export.contract import contract_table

from ..repository_files import config_tensors, graph_tensors, parameters, read_config

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*) \| (.*) \|$", re.MULTILINE)
CELL = re.compile(r"`(\w+)` (\w+)(?: or \w+)? \[([^\]]*)\]")
CHECKPOINTS = Path(__file__).parents[2] / "demo" / "checkpoints"
MOST_BYTES = 40_000_000
DATA = {"model.onnx", "config.pbtxt", "README.md", ".gitkeep"}
FREE = {"L", "B"}
"""Sizes that each request chooses."""

Tensors = list[tuple[str, str, list[str]]]
Table = dict[str, tuple[str, Tensors, Tensors]]


def promised(repository: Path) -> Table:
    """Model -> kind, inputs and outputs, as the table in README.md has them."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    return {name: (kind, _cell(inputs), _cell(outputs)) for name, kind, inputs, outputs in ROW.findall(text)}


def _cell(text: str) -> Tensors:
    return [(name, dtype, dims.split(",")) for name, dtype, dims in CELL.findall(text)]


@pytest.fixture(scope="module")
def table(repository: Path) -> Table:
    found = promised(repository)
    assert len(found) > 5
    return found


def graphs(repository: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(repository.glob("*/*/model.onnx")):
        yield path.parents[1].name, path


def test_the_readme_holds_the_table_of_the_contract(repository: Path) -> None:
    assert contract_table() in (repository / "README.md").read_text(encoding="utf-8")


def test_the_table_names_every_model_and_no_other(repository: Path, table: Table) -> None:
    assert set(table) == {path.name for path in repository.iterdir() if path.is_dir()}


def test_the_table_equals_the_configs(repository: Path, table: Table) -> None:
    sizes: dict[str, int] = {}
    for model, (kind, *sides) in table.items():
        config = read_config(repository, model)
        assert (config.platform or config.backend) == kind
        told = parameters(config)
        for side, found in zip(sides, (config.input, config.output), strict=True):
            numbers = config_tensors(found)
            assert [(name, dtype) for name, dtype, _ in side] == [(name, dtype) for name, dtype, _ in numbers]
            for (_, _, dims), (_, _, own) in zip(side, numbers, strict=True):
                for dim, number in zip(dims, own, strict=True):
                    expected = _size(dim, told)
                    assert number == sizes.setdefault(dim, number) if expected is None else expected == number
    assert sizes.keys() == {"F", "C", "D"}, "these are one size in all models"


def _size(dim: str, told: dict[str, str]) -> int | None:
    """The number that a name of a dimension must be, as far as the model's own parameters tell."""
    if dim.isdecimal() or dim in FREE:
        return int(dim) if dim.isdecimal() else -1
    if dim == "labels":
        return len(json.loads(told["labels"]))
    described = {"S": "window_samples", "M": "mel_bins", "N": "max_tokens"}
    return int(told[described[dim]]) if dim in described else None


def test_the_configs_equal_the_graphs(repository: Path) -> None:
    seen = set()
    for model, path in graphs(repository):
        config = read_config(repository, model)
        assert list(config.version_policy.specific.versions) == [int(path.parent.name)]
        session, batched = onnxruntime.InferenceSession(path), config.max_batch_size > 0
        assert config_tensors(config.input) == graph_tensors(session.get_inputs(), batched=batched)
        assert config_tensors(config.output) == graph_tensors(session.get_outputs(), batched=batched)
        seen.add(model)
    assert seen == {path.parent.name for path in repository.glob("*/config.pbtxt")} - {"transcribe", "transcribe_words"}


def test_each_config_names_the_digest_of_its_graph(repository: Path) -> None:
    for model, path in graphs(repository):
        told = parameters(read_config(repository, model))
        assert told["graph_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest(), model


def test_the_repository_is_data(repository: Path) -> None:
    """Graphs, configs and the page that explains them: nothing that a server would run as a program."""
    files = [path.relative_to(repository) for path in repository.rglob("*") if path.is_file()]
    data = {"config.pbtxt", "README.md", ".gitkeep", "manifest.json", "report.json"}
    allowed = [path for path in files if path.suffix == ".onnx" or path.name in data]
    warmup = [path for path in files if path.parent.name == "warmup" and path.suffix == ""]
    assert sorted(files) == sorted([*allowed, *warmup])


def test_all_weights_in_the_clone_stay_under_forty_megabytes(repository: Path) -> None:
    weights = [*repository.rglob("*.onnx*"), *CHECKPOINTS.rglob("*.safetensors")]
    assert 0 < sum(path.stat().st_size for path in weights) < MOST_BYTES
