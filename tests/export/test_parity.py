"""The parity gate: sound exports pass and say so, damaged ones are refused and change nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callscope_export import export_classifier, export_whisper
from callscope_export.errors import ParityFailed
from callscope_export.graph import Graph
from callscope_export.precisions import PRECISIONS

from .checkpoint_variants import VARIANTS
from .fixture_types import Checkpoints

REASON = "compares with transformers, which the extra `referee` installs"
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("transformers", reason=REASON)

pytestmark = pytest.mark.filterwarnings("ignore")
BuildGraph = Callable[..., Graph]
DEMO = Path(__file__).parents[2] / "demo" / "checkpoints"


def damaged(build: BuildGraph) -> BuildGraph:
    """The same graph with its largest matrix turned a little."""

    def build_damaged(*arguments: Any) -> Graph:
        graph = build(*arguments)
        matrices = {name: array for name, array in graph.weights.items() if array.ndim == 2 and array.dtype == "f4"}
        largest = max(matrices, key=lambda name: matrices[name].size)
        return Graph(graph.bare, {**graph.weights, largest: np.roll(matrices[largest], 1, axis=0)})

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


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_demo_models_say_in_every_precision_what_their_checkpoints_say(tmp_path: Path, precision: str) -> None:
    profile = "gpu" if PRECISIONS[precision].float_type == "FP16" else "cpu"
    options: dict[str, Any] = {"precision": precision, "profile": profile, "parity": "require"}
    assert export_whisper(DEMO / "recogniser", tmp_path, **options).compared
    assert export_classifier(DEMO / "punctuate", tmp_path, name="punctuate", **options).compared


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_checkpoint_saved_otherwise_says_what_transformers_makes_of_it(
    checkpoint: Checkpoints, tmp_path: Path, variant: str
) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint("multilingual"), folder)
    VARIANTS[variant](folder)
    assert export_whisper(folder, tmp_path / "repository", precision="fp32", parity="require").compared


@pytest.mark.parametrize(
    ("graph", "named"), [("encoder_graph", "states of whisper_encoder"), ("decoder_graph", "whisper_decoder")]
)
def test_a_damaged_graph_is_refused_by_name(
    checkpoint: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: str, named: str
) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    module = "callscope_export.whisper_models"
    monkeypatch.setattr(f"{module}.{graph}", damaged(getattr(__import__(module, fromlist=[graph]), graph)))
    with pytest.raises(ParityFailed, match=named):
        export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_parity_off_publishes_unseen(checkpoint: Checkpoints, tmp_path: Path) -> None:
    assert not export_whisper(checkpoint("multilingual"), tmp_path, parity="off").compared
    assert not list(tmp_path.rglob("report.json"))
