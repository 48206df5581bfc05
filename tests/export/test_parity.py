"""The parity gate: sound exports pass and say so, damaged ones are refused and change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from callscope_export import export_whisper
from callscope_export.errors import ParityFailed

from .fixture_types import Checkpoints

REASON = "compares with transformers, which the extra `referee` installs"
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("transformers", reason=REASON)

pytestmark = pytest.mark.filterwarnings("ignore")
BuildGraph = Callable[..., onnx.ModelProto]


def damaged(build: BuildGraph) -> BuildGraph:
    """The same graph with its largest matrix turned a little."""

    def build_damaged(*arguments: Any) -> onnx.ModelProto:
        graph = build(*arguments)
        matrices = [one for one in graph.graph.initializer if len(one.dims) == 2 and one.data_type == 1]
        largest = max(matrices, key=lambda one: np.prod(one.dims))
        values = numpy_helper.to_array(largest).copy()
        largest.CopyFrom(numpy_helper.from_array(np.roll(values, 1, axis=0), largest.name))
        return graph

    return build_damaged


@pytest.mark.parametrize("name", ["multilingual", "english_only"])
def test_an_export_that_says_the_same_is_published_with_its_report(
    checkpoint: Checkpoints, tmp_path: Path, name: str
) -> None:
    assert export_whisper(checkpoint(name), tmp_path, precision="fp32", parity="require").compared
    for model in ("log_mel", "whisper_encoder", "whisper_decoder"):
        report = json.loads((tmp_path / model / "1" / "report.json").read_text())
        assert report["failures"] == []
        assert report["tokens"] > 20
        assert report["found"]["mel"] < 1e-4
        assert report["found"]["teacher_forced"] == 1.0
        assert report["found"]["logprobs"] < 1e-4


@pytest.mark.parametrize(
    ("graph", "named"), [("encoder_graph", "states of whisper_encoder"), ("decoder_graph", "whisper_decoder")]
)
def test_a_damaged_graph_is_refused_by_name(
    checkpoint: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: str, named: str
) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    module = "callscope_export.export"
    monkeypatch.setattr(f"{module}.{graph}", damaged(getattr(__import__(module, fromlist=[graph]), graph)))
    with pytest.raises(ParityFailed, match=named):
        export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_parity_off_publishes_unseen(checkpoint: Checkpoints, tmp_path: Path) -> None:
    assert not export_whisper(checkpoint("multilingual"), tmp_path, parity="off").compared
    assert not list(tmp_path.rglob("report.json"))
