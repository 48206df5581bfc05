"""Models on their way into a repository: all of them, or none; and back.

Graphs are written beside the repository, then renamed into new version folders, which nothing serves yet. A model's
config.pbtxt pins the version to serve; replacing that one file is what publishes it. A graph that is already there
keeps its version. What was served before stays until the next export: its version folders, and its configs in
`PREVIOUS`, from which `roll_back` takes them.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from .contract import Signature
from .errors import NothingBefore, RepositoryUnwritable
from .readme import repository_readme

GRAPH = "model.onnx"
EXTERNAL = "model.onnx.data"
MANIFEST = "manifest.json"
REPORT = "report.json"
PREVIOUS = "previous.json"
LARGEST_FILE_BYTES = 1_500_000_000
"""Weights beyond this go into a file of their own: protobuf ends at 2 GiB."""

Gate = Callable[[Mapping[str, Path]], bytes]
"""Takes the graphs by their models' names, and returns the report that goes into their version folders."""

_PINNED = re.compile(r"versions: \[(\d+)\]")


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

    @property
    def config(self) -> str:
        """The config.pbtxt that serves it."""
        return self.model.config(self.published.version, self.published.graph_sha256)


def publish(
    models: Sequence[Model], repository: Path, *, keep_previous: bool = True, gate: Gate | None = None
) -> tuple[PublishedModel, ...]:
    """Put models into a repository, and its README beside them.

    Args:
        models: What to publish; others that the repository holds stay as they are.
        repository: The folder; it is made where it does not exist.
        keep_previous: Whether to keep what these models served before, for `roll_back`.
        gate: Looks at the graphs before anything is published, and raises to prevent it.

    Raises:
        RepositoryUnwritable: The folder or its parent cannot be written.
    """
    with _writing(repository), _staging_beside(repository) as staging:
        staged = [_stage(model, repository, staging / model.signature.name) for model in models]
        if gate:
            graphs = {entry.published.name: entry.folder / "version" for entry in staged if entry.model.graph}
            report = gate({name: version / GRAPH for name, version in graphs.items()})
            for version in graphs.values():
                (version / REPORT).write_bytes(report)
        _place_versions(staged, repository)
        configs = {entry.published.name: entry.config for entry in staged}
        before = _configs(repository, configs)
        if before != configs:
            _remember(before if keep_previous and any(before.values()) else {}, repository, staging)
        for entry in staged:
            _switch(entry, repository)
            if before != configs:
                kept = {entry.published.version, *(_pinned(before[entry.published.name]) if keep_previous else ())}
                _drop_versions(repository / entry.published.name, kept)
        _replace(staging / "README.md", repository_readme().encode(), repository / "README.md")
    return tuple(entry.published for entry in staged)


def roll_back(repository: Path) -> tuple[str, ...]:
    """Serve again what the models of the last export served before it; once more undoes it.

    Models that came with that export are removed: they go with it.

    Returns:
        The models that were changed.

    Raises:
        NothingBefore: The repository remembers no earlier export.
        RepositoryUnwritable: It cannot be written.
    """
    try:
        before = dict(json.loads((repository / PREVIOUS).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise NothingBefore(
            f"The repository {repository} remembers no earlier export. Export the checkpoint that you want."
        ) from error
    with _writing(repository), _staging_beside(repository) as staging:
        now = _configs(repository, before)
        for name, config in before.items():
            if config:
                _replace(staging / "config.pbtxt", config.encode(), repository / name / "config.pbtxt")
            elif (repository / name).is_dir():
                (repository / name).rename(staging / name)
        _remember({name: config for name, config in now.items() if before[name]}, repository, staging)
    return tuple(name for name in before if before[name] != now[name])


@contextmanager
def _writing(repository: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RepositoryUnwritable(
            f"The repository {repository} cannot be written ({error}). Make it writable, or name another folder."
        ) from error


def _configs(repository: Path, names: Iterable[str]) -> dict[str, str]:
    """The configs of models as they are now, empty for one that is not there."""
    paths = {name: repository / name / "config.pbtxt" for name in names}
    return {name: path.read_text(encoding="utf-8") if path.is_file() else "" for name, path in paths.items()}


def _remember(configs: Mapping[str, str], repository: Path, staging: Path) -> None:
    """Keep configs for `roll_back`, or forget those of before where there are none."""
    if configs:
        content = json.dumps(configs, ensure_ascii=False, indent=1).encode()
        _replace(staging / PREVIOUS, content, repository / PREVIOUS)
    else:
        (repository / PREVIOUS).unlink(missing_ok=True)


def _pinned(config: str) -> tuple[int, ...]:
    return tuple(int(version) for version in _PINNED.findall(config))


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
    files = [path for path in (folder / GRAPH, folder / EXTERNAL) if path.is_file()]
    manifest = {path.name: {"bytes": path.stat().st_size, "sha256": _sha256([path])} for path in files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return _sha256(files), sum(path.stat().st_size for path in files)


def _write_ensemble(folder: Path) -> tuple[str, int]:
    (folder / ".gitkeep").touch()
    return "", 0


def _digest(version: Path) -> str:
    """Hash a version's graph, and its weights where they have a file of their own; empty where there is none."""
    found = [path for path in (version / GRAPH, version / EXTERNAL) if path.is_file()]
    return _sha256(found) if found else ""


def _sha256(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


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
    """Publish a model whose version is in place."""
    home = repository / entry.published.name
    for name, content in entry.model.warmup.items():
        (home / "warmup").mkdir(exist_ok=True)
        _replace(entry.folder / name, content, home / "warmup" / name)
    _replace(entry.folder / "config.pbtxt", entry.config.encode(), home / "config.pbtxt")


def _drop_versions(model: Path, kept: set[int]) -> None:
    for number, path in _versions(model).items():
        if number not in kept:
            shutil.rmtree(path)


def _replace(temporary: Path, content: bytes, target: Path) -> None:
    temporary.write_bytes(content)
    os.replace(temporary, target)  # noqa: PTH105  the atomic step
