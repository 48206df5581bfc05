"""What all models of one export share, and what is told of it at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import contract
from .checkpoint import Checkpoint, open_checkpoint
from .config import render_config, warmup_files
from .contract import Signature, signature
from .evaluation import Evaluation
from .precision import Precision
from .precisions import precision_named
from .profile import Profile, load_profile
from .progress import Progress
from .publish import Build, Gate, Model, PublishedModel, publish
from .tokenizer import tokenizer_graph


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        repository: Where the models are.
        models: What was written.
        source: The checkpoint.
        revision: Its revision.
        profile: How the models are served.
        precision: How weights are stored.
        compared: Whether the graphs were compared with the checkpoint.
        evaluation: How well they transcribe, where that was asked for.
        notes: What of the checkpoint was not taken as it is, in words.
    """

    repository: Path
    models: tuple[PublishedModel, ...]
    source: str
    revision: str
    profile: str
    precision: str
    compared: bool = False
    evaluation: Evaluation | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What all models of one export share.

    Attributes:
        checkpoint: Where their weights are.
        profile: How they are served.
        precision: How their weights are stored.
        keep_previous: Whether what they served before is kept.
        progress: Is told what happens.
    """

    checkpoint: Checkpoint
    profile: Profile
    precision: Precision
    keep_previous: bool
    progress: Progress

    def parameters(self, **special: str) -> dict[str, str]:
        """Say what a model is, for its clients."""
        origin = {"source": self.checkpoint.source, "revision": self.checkpoint.revision}
        return {"contract": contract.VERSION, **special, **origin}

    def model(
        self,
        described: Signature,
        build: Build | None,
        parameters: Mapping[str, str],
        steps: tuple[Signature, ...] = (),
    ) -> Model:
        """Plan a model: of a graph, or of an ensemble's steps where there is none."""

        def config(version: int, graph_sha256: str) -> str:
            about = {**parameters, **({"graph_sha256": graph_sha256} if build else {})}
            return render_config(described, self.profile, version=version, parameters=about, steps=steps)

        names = {tensor.name for tensor in described.inputs} if build else set()
        warmup = {name: content for name, content in warmup_files().items() if name in names}
        return Model(described, build, config, warmup)

    def tokenizer(self, name: str, content: bytes) -> Model:
        """Plan the model that hands out a tokenizer.json."""
        described = signature(name, {})
        parameters = self.parameters(size_bytes=str(len(content)))
        return self.model(described, lambda: tokenizer_graph(content, described), parameters)

    def publish(self, models: Sequence[Model], repository: Path, gate: Gate | None = None) -> ExportReport:
        """Build the models and put them into the repository; what is raised is what `publish` raises."""
        self.progress(f"Writing {repository}")
        published = publish(models, repository, keep_previous=self.keep_previous, gate=gate, progress=self.progress)
        origin = self.checkpoint
        return ExportReport(
            repository=repository,
            models=published,
            source=origin.source,
            revision=origin.revision,
            profile=self.profile.name,
            precision=self.precision.name,
        )

    def exact(self) -> "Plan":
        """The same export in FP32."""
        return replace(self, precision=precision_named("fp32"))


def make_plan(
    source: Path | str,
    *,
    profile: str,
    precision: str | None,
    revision: str | None,
    gpus: Sequence[int],
    instances: int | None,
    keep_previous: bool,
    progress: Progress,
) -> Plan:
    """Open a checkpoint and load the profile; the arguments, and what is raised, are those of `export_whisper`."""
    loaded = load_profile(profile).placed(gpus, instances)
    chosen = precision_named(precision or loaded.precision)
    progress(f"Reading {source}")
    return Plan(open_checkpoint(source, revision), loaded, chosen, keep_previous, progress)
