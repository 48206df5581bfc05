"""The flow of an export: checkpoint -> settings -> graphs -> configs -> repository."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import onnx

from . import contract
from .aligner import aligner_graph
from .checkpoint import Checkpoint, open_checkpoint
from .classifier import ClassifierSettings, classifier_graph, read_classifier
from .classifier_parity import check_classifier
from .config import render_config, warmup_files
from .contract import Signature, signature
from .decoder import decoder_graph
from .encoder import encoder_graph
from .gate import ParityRule, is_compared, parity_gate
from .mel import log_mel_graph
from .parity import Run, check_parity
from .precision import Precision
from .precisions import encoder_precision, precision_named
from .profile import Profile, load_profile
from .publish import Gate, Model, PublishedModel, publish
from .tokenizer import classifier_tokenizer, tokenizer_graph
from .whisper import WhisperSettings, read_whisper

Progress = Callable[[str], None]
ClassifierName = Literal["punctuate", "sentiment"]


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
    """

    repository: Path
    models: tuple[PublishedModel, ...]
    source: str
    revision: str
    profile: str
    precision: str
    compared: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all models of one export share."""

    checkpoint: Checkpoint
    profile: Profile
    precision: Precision
    keep_previous: bool
    progress: Progress

    def parameters(self, **special: str) -> dict[str, str]:
        origin = {"source": self.checkpoint.source, "revision": self.checkpoint.revision}
        return {"contract": contract.VERSION, **special, **origin}

    def model(
        self,
        described: Signature,
        graph: onnx.ModelProto | None,
        parameters: Mapping[str, str],
        steps: tuple[Signature, ...] = (),
    ) -> Model:
        def config(version: int, graph_sha256: str) -> str:
            about = {**parameters, **({"graph_sha256": graph_sha256} if graph else {})}
            return render_config(described, self.profile, version=version, parameters=about, steps=steps)

        names = {tensor.name for tensor in described.inputs} if graph else set()
        warmup = {name: content for name, content in warmup_files().items() if name in names}
        return Model(described, graph, config, warmup)

    def publish(self, models: Sequence[Model], repository: Path, gate: Gate | None = None) -> ExportReport:
        self.progress(f"Writing {repository}")
        published = publish(models, repository, keep_previous=self.keep_previous, gate=gate)
        origin = self.checkpoint
        return ExportReport(
            repository=repository,
            models=published,
            source=origin.source,
            revision=origin.revision,
            profile=self.profile.name,
            precision=self.precision.name,
            compared=gate is not None,
        )


def silent(_message: str) -> None:
    """Tell nobody."""


def export_whisper(
    source: Path | str,
    repository: Path,
    *,
    profile: str = "cpu",
    precision: str | None = None,
    revision: str | None = None,
    gpus: Sequence[int] = (),
    instances: int = 1,
    keep_previous: bool = True,
    parity: ParityRule = "auto",
    progress: Progress = silent,
) -> ExportReport:
    """Turn a Whisper checkpoint into `transcribe` and `transcribe_words`, their graphs and their tokenizer.

    Args:
        source: A folder in Hugging Face's layout, or a hub id.
        repository: Triton's model repository; made where it does not exist.
        profile: "cpu", "gpu" or the path of a TOML file like theirs.
        precision: "fp32", "fp16", "int8" or "w8a16" (FP16, the decoder's matrices in 8 bits); the profile's own where
            None.
        revision: The hub's branch, tag or commit.
        gpus: Which GPUs serve; all where empty.
        instances: Instances of each model: in all on a CPU, on each GPU otherwise.
        keep_previous: Whether `roll_back` can serve again what these models served before.
        parity: Whether to compare the graphs with transformers before they are published: "auto" does where it is
            installed, "require" insists, "off" does not.
        progress: Is told what happens, a line at a time.

    Raises:
        ParityFailed: The graphs do not say what the checkpoint says.
        ExportError: The checkpoint, the profile or the repository cannot be used.
    """
    compared = is_compared(parity)
    plan = _plan(
        source,
        profile=profile,
        precision=precision,
        revision=revision,
        gpus=gpus,
        instances=instances,
        keep_previous=keep_previous,
        progress=progress,
    )
    settings = read_whisper(plan.checkpoint)
    graphs = _whisper_graphs(plan, settings)
    parameters = {name: _whisper_parameters(plan, settings, name) for name in ("log_mel", "transcribe")}
    models = [
        plan.model(described, graph, parameters.get(described.name, parameters["transcribe"]))
        for described, graph in graphs
    ]
    steps = tuple(described for described, _ in graphs)
    for name, its_steps in (("transcribe", steps[:3]), ("transcribe_words", steps)):
        models.append(plan.model(signature(name, settings.sizes), None, parameters["transcribe"], its_steps))
    models.append(_tokenizer(plan, "whisper_tokenizer", plan.checkpoint.tokenizer))

    def compare(run: Run) -> Mapping[str, Any]:
        plan.progress("Comparing with transformers")
        return check_parity(plan.checkpoint.folder, settings, plan.precision.name, run).as_dict()

    return plan.publish(models, repository, parity_gate(compare) if compared else None)


def export_classifier(
    source: Path | str,
    repository: Path,
    *,
    name: ClassifierName,
    profile: str = "cpu",
    precision: str | None = None,
    revision: str | None = None,
    gpus: Sequence[int] = (),
    instances: int = 1,
    keep_previous: bool = True,
    parity: ParityRule = "auto",
    progress: Progress = silent,
) -> ExportReport:
    """Turn a text classifier into the model `punctuate` or `sentiment`, and its tokenizer.

    `punctuate` wants a classifier of tokens, `sentiment` one of texts. BERT takes no more than `callscope[export]`, any
    other architecture `callscope[optimum]`. The arguments, and what is raised, are those of `export_whisper`.
    """
    compared = is_compared(parity)
    plan = _plan(
        source,
        profile=profile,
        precision=precision,
        revision=revision,
        gpus=gpus,
        instances=instances,
        keep_previous=keep_previous,
        progress=progress,
    )
    settings = read_classifier(plan.checkpoint, per_token=name == "punctuate")
    progress(f"Building {name} ({plan.precision.name})")
    described = signature(name, settings.sizes)
    tokenizer = classifier_tokenizer(plan.checkpoint)
    graph = classifier_graph(plan.checkpoint, settings, plan.precision, described)
    parameters = _classifier_parameters(plan, settings, name)
    models = [plan.model(described, graph, parameters), _tokenizer(plan, f"{name}_tokenizer", tokenizer)]

    def compare(run: Run) -> Mapping[str, Any]:
        plan.progress("Comparing with transformers")
        return check_classifier(
            plan.checkpoint.folder, name, settings, tokenizer=tokenizer, precision=plan.precision.name, run=run
        ).as_dict()

    return plan.publish(models, repository, parity_gate(compare) if compared else None)


def _plan(
    source: Path | str,
    *,
    profile: str,
    precision: str | None,
    revision: str | None,
    gpus: Sequence[int],
    instances: int,
    keep_previous: bool,
    progress: Progress,
) -> _Plan:
    loaded = load_profile(profile).placed(gpus, instances)
    chosen = precision_named(precision or loaded.precision)
    progress(f"Reading {source}")
    return _Plan(open_checkpoint(source, revision), loaded, chosen, keep_previous, progress)


def _whisper_graphs(plan: _Plan, settings: WhisperSettings) -> list[tuple[Signature, onnx.ModelProto]]:
    weights, precision = plan.checkpoint.weights("model."), plan.precision
    mel, encoder, decoder, aligner = (
        signature(name, settings.sizes, precision.float_type)
        for name in ("log_mel", "whisper_encoder", "whisper_decoder", "whisper_aligner")
    )
    plan.progress("Building log_mel (fp32)")
    graphs = [(mel, log_mel_graph(settings.mel, mel))]
    whole = encoder_precision(precision)
    plan.progress(f"Building whisper_encoder ({whole.name})")
    graphs.append((encoder, encoder_graph(weights, settings, whole, encoder)))
    plan.progress(f"Building whisper_decoder ({precision.name})")
    graphs.append((decoder, decoder_graph(weights, settings, precision, decoder)))
    plan.progress(f"Building whisper_aligner ({precision.name})")
    graphs.append((aligner, aligner_graph(weights, settings, precision, aligner)))
    return graphs


def _whisper_parameters(plan: _Plan, settings: WhisperSettings, model: str) -> dict[str, str]:
    mel, prompt = settings.mel, settings.prompt
    return plan.parameters(
        sample_rate_hz=str(mel.sample_rate_hz),
        window_samples=str(mel.window_samples),
        hop_samples=str(mel.hop_samples),
        mel_bins=str(mel.mel_bins),
        precision="fp32" if model == "log_mel" else plan.precision.name,
        languages=json.dumps(prompt.languages),
        tasks=json.dumps(prompt.tasks),
        end_of_text=str(prompt.end_of_text),
        max_tokens=str(settings.max_tokens),
        tokenizer="whisper_tokenizer",
    )


def _classifier_parameters(plan: _Plan, settings: ClassifierSettings, name: ClassifierName) -> dict[str, str]:
    return plan.parameters(
        labels=json.dumps(settings.labels, ensure_ascii=False),
        max_length=str(settings.max_length),
        tokenizer=f"{name}_tokenizer",
        precision=plan.precision.name,
    )


def _tokenizer(plan: _Plan, name: str, content: bytes) -> Model:
    described = signature(name, {})
    parameters = plan.parameters(size_bytes=str(len(content)))
    return plan.model(described, tokenizer_graph(content, described), parameters)
