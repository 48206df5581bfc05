"""Whether a model repository is whole, told from its files alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from callscope_server.findings import Finding

NAME = "repository"
GRAPHS = ("model.onnx", "model.onnx.data")
REMEDY = "Restore the repository (`git checkout model_repository` in a clone), or export the model again."
_DIGEST = re.compile(r'key:\s*"graph_sha256"\s*,?\s*value\s*:?\s*\{\s*string_value:\s*"([0-9a-f]*)"')
_ENSEMBLE = re.compile(r"^\s*(ensemble_scheduling\b|platform:\s*\"ensemble\")", re.MULTILINE)


def check_models(repository: Path) -> Finding:
    """One finding for the whole repository: how many models are in order, or what is wrong with each that is not."""
    try:
        models = sorted(
            folder for folder in repository.iterdir() if folder.is_dir() and not folder.name.startswith(".")
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Finding(NAME, False, f"{repository} cannot be read ({reason})", "Name another with --repository.")
    faults = [f"{model.name} {fault}" for model in models for fault in _faults(model)]
    if faults:
        return Finding(NAME, False, f"{repository}: {'; '.join(faults)}", REMEDY)
    if not models:
        return Finding(NAME, False, f"{repository} holds no model", REMEDY)
    return Finding(NAME, True, f"{len(models)} models in {repository}, graphs as recorded")


def _faults(model: Path) -> Iterator[str]:
    config = model / "config.pbtxt"
    if not config.is_file():
        yield "has no config.pbtxt"
        return
    text = config.read_text(encoding="utf-8", errors="replace")
    if _ENSEMBLE.search(text):
        return
    versions = [version for version in model.iterdir() if version.name.isdigit() and (version / GRAPHS[0]).is_file()]
    recorded = _DIGEST.search(text)
    if not versions:
        yield "has no graph"
    elif recorded and recorded[1] not in {_digest(version) for version in versions}:
        yield "has a graph that is not the one its config records"


def _digest(version: Path) -> str:
    """The sha256 of a version's graph, followed by its weights where they have a file of their own."""
    digest = hashlib.sha256()
    for graph in (version / name for name in GRAPHS if (version / name).is_file()):
        with graph.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
