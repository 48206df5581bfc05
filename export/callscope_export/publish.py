"""Models on their way into a repository: all of them, or none; and back.

Graphs are written beside the repository, then renamed into new version folders, which nothing serves yet. A model's
config.pbtxt pins the version to serve; replacing that one file is what publishes it. A graph that is already there
keeps its version. What was served before stays until the next export: its version folders, and its configs in
`PREVIOUS`, from which `roll_back` takes them.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .contract import Signature
from .errors import NothingBefore, RepositoryUnwritable
from .graph import Graph
from .graph_files import GRAPH, WrittenGraph, graph_digest, write_graph
from .progress import Progress, silent
from .readme import repository_readme

REPORT = "report.json"
PREVIOUS = "previous.json"

Build = Callable[[], Graph]
"""Builds a graph. Graphs are built and written one after another, so that no two are in memory."""
Gate = Callable[[Mapping[str, Path]], bytes]
"""Takes the graphs by their models' names, and returns the report that goes into their version folders."""

_PINNED = re.compile(r"versions: \[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Model:
    """A model to publish.

    Attributes:
        signature: Its contract.
        build: Builds what it runs; None for an ensemble.
        config: Renders config.pbtxt from the version and the graph's sha256.
        warmup: Files of its warmup folder.
    """

    signature: Signature
    build: Build | None
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
    models: Sequence[Model],
    repository: Path,
    *,
    keep_previous: bool = True,
    gate: Gate | None = None,
    progress: Progress = silent,
) -> tuple[PublishedModel, ...]:
    """Put models into a repository, and its README beside them.

    Args:
        models: What to publish; others that the repository holds stay as they are.
        repository: The folder; it is made where it does not exist.
        keep_previous: Whether to keep what these models served before, for `roll_back`.
        gate: Looks at the graphs before anything is published, and raises to prevent it.
        progress: Is told what happens, a line at a time.

    Raises:
        RepositoryUnwritable: The folder or its parent cannot be written.
    """
    with _writing(repository), _staging_beside(repository) as staging:
        staged = [_stage(model, repository, staging / model.signature.name, progress) for model in models]
        report = gate(_graphs(staged)) if gate else b""
        repository.mkdir(exist_ok=True)
        _place_versions(staged, repository)
        if report:
            _report(report, staged, repository)
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
    home = repository.resolve().parent
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{repository.name}.", dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stage(model: Model, repository: Path, folder: Path, progress: Progress) -> _Staged:
    """Write a model beside the repository and give it a version: the one that holds the same graph, or the next."""
    content = folder / "version"
    content.mkdir(parents=True)
    written = write_graph(model.build(), content, progress) if model.build else _write_ensemble(content)
    held = _versions(repository / model.signature.name)
    same = (number for number, path in held.items() if graph_digest(path) == written.sha256)
    version = next(same, max(held, default=0) + 1)
    published = PublishedModel(model.signature.name, version, written.sha256, written.size_bytes)
    return _Staged(model, folder, published)


def _write_ensemble(folder: Path) -> WrittenGraph:
    (folder / ".gitkeep").touch()
    return WrittenGraph("", 0)


def _graphs(staged: Sequence[_Staged]) -> dict[str, Path]:
    return {entry.published.name: entry.folder / "version" / GRAPH for entry in staged if entry.model.build}


def _report(report: bytes, staged: Sequence[_Staged], repository: Path) -> None:
    """Put a report beside every graph it speaks of, one that was there before included."""
    for entry in staged:
        if entry.model.build:
            version = repository / entry.published.name / str(entry.published.version)
            _replace(entry.folder / REPORT, report, version / REPORT)


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
