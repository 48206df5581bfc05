"""Models on their way into a repository: all of them, or none.

Graphs are written beside the repository, then renamed into new version folders, which nothing serves yet. A model's
config.pbtxt pins the version to serve; replacing that one file is what publishes it. A graph that is already there
keeps its version.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from .contract import Signature
from .errors import RepositoryUnwritable
from .readme import repository_readme

GRAPH = "model.onnx"
EXTERNAL = "model.onnx.data"
LARGEST_FILE_BYTES = 1_500_000_000
"""Weights beyond this go into a file of their own: protobuf ends at 2 GiB."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model to publish.

    Attributes:
        signature: Its contract.
        graph: What it runs; None for an ensemble.
        config: Renders config.pbtxt from the version and the graph's sha256.
        warmup: Files of its warmup folder.
    """

    signature: Signature
    graph: onnx.ModelProto | None
    config: Callable[[int, str], str]
    warmup: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model that a repository holds now.

    Attributes:
        name: Its name.
        version: The version that is served.
        graph_sha256: The digest of its graph, empty for an ensemble.
        size_bytes: The size of its graph with its weights.
    """

    name: str
    version: int
    graph_sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Staged:
    model: Model
    folder: Path
    published: PublishedModel


def publish(models: Sequence[Model], repository: Path) -> tuple[PublishedModel, ...]:
    """Put models into a repository, and its README beside them.

    Args:
        models: What to publish; others that the repository holds stay as they are.
        repository: The folder; it is made where it does not exist.

    Raises:
        RepositoryUnwritable: The folder or its parent cannot be written.
    """
    try:
        with _staging_beside(repository) as staging:
            staged = [_stage(model, repository, staging / model.signature.name) for model in models]
            _place_versions(staged, repository)
            for entry in staged:
                _switch(entry, repository)
            _replace(staging / "README.md", repository_readme().encode(), repository / "README.md")
    except OSError as error:
        raise RepositoryUnwritable(
            f"The repository {repository} cannot be written ({error}). Make it writable, or name another folder."
        ) from error
    return tuple(entry.published for entry in staged)


@contextmanager
def _staging_beside(repository: Path) -> Iterator[Path]:
    repository.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{repository.name}.", dir=repository.resolve().parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stage(model: Model, repository: Path, folder: Path) -> _Staged:
    """Write a model beside the repository and give it a version: the one that holds the same graph, or the next."""
    content = folder / "version"
    content.mkdir(parents=True)
    sha256, size_bytes = _write_graph(model.graph, content) if model.graph else _write_ensemble(content)
    held = _versions(repository / model.signature.name)
    same = (number for number, path in held.items() if _digest(path) == sha256)
    version = next(same, max(held, default=0) + 1)
    return _Staged(model, folder, PublishedModel(model.signature.name, version, sha256, size_bytes))


def _write_graph(graph: onnx.ModelProto, folder: Path) -> tuple[str, int]:
    external = graph.ByteSize() > LARGEST_FILE_BYTES
    onnx.save_model(graph, folder / GRAPH, save_as_external_data=external, location=EXTERNAL)
    onnx.checker.check_model(folder / GRAPH)
    return _digest(folder), sum(path.stat().st_size for path in folder.iterdir())


def _write_ensemble(folder: Path) -> tuple[str, int]:
    (folder / ".gitkeep").touch()
    return "", 0


def _digest(version: Path) -> str:
    """Hash a version's graph, and its weights where they have a file of their own."""
    digest, found = hashlib.sha256(), [path for path in (version / GRAPH, version / EXTERNAL) if path.is_file()]
    for path in found:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest() if found else ""


def _versions(model: Path) -> dict[int, Path]:
    folders = (path for path in model.glob("[0-9]*") if path.is_dir() and path.name.isdigit())
    return {int(path.name): path for path in folders}


def _place_versions(staged: Sequence[_Staged], repository: Path) -> None:
    """Rename every new version to its place, or none of them."""
    placed: list[Path] = []
    try:
        for entry in staged:
            target = repository / entry.published.name / str(entry.published.version)
            target.parent.mkdir(exist_ok=True)
            if not target.exists():
                (entry.folder / "version").rename(target)
                placed.append(target)
    except OSError:
        for path in placed:
            shutil.rmtree(path)
        raise


def _switch(entry: _Staged, repository: Path) -> None:
    """Publish a model whose version is in place, then drop the versions that its config no longer names."""
    home, version = repository / entry.published.name, entry.published.version
    for name, content in entry.model.warmup.items():
        (home / "warmup").mkdir(exist_ok=True)
        _replace(entry.folder / name, content, home / "warmup" / name)
    config = entry.model.config(version, entry.published.graph_sha256)
    _replace(entry.folder / "config.pbtxt", config.encode(), home / "config.pbtxt")
    for number, path in _versions(home).items():
        if number != version:
            shutil.rmtree(path)


def _replace(temporary: Path, content: bytes, target: Path) -> None:
    temporary.write_bytes(content)
    os.replace(temporary, target)  # noqa: PTH105  the atomic step
