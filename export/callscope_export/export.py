"""The flow of an export: checkpoint -> settings -> graphs -> configs -> repository."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from .classifier import ClassifierSettings, classifier_graph, read_classifier
from .classifier_parity import check_classifier
from .contract import HEADS, filled, signature
from .gate import ParityRule, is_compared, parity_gate
from .graph import Graph
from .heads import OUTPUTS, characters, check_precision, has_heads, heads_graph, open_graph, read_heads
from .heads_parity import check_heads
from .parity import Run
from .plan import ExportReport, Plan, make_plan
from .progress import Progress, silent
from .recordings import read_recordings
from .tokenizer import classifier_tokenizer
from .unigram import unigram_tokenizer
from .whisper import read_whisper
from .whisper_gate import WhisperGate
from .whisper_models import whisper_models

ClassifierName = Literal["punctuate", "sentiment"]


def export_whisper(
    source: Path | str,
    repository: Path,
    *,
    profile: str = "cpu",
    precision: str | None = None,
    revision: str | None = None,
    gpus: Sequence[int] = (),
    instances: int | None = None,
    languages: Sequence[str] = (),
    keep_previous: bool = True,
    parity: ParityRule = "auto",
    evaluate: Path | str | None = None,
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
        instances: Instances of each model: in all on a CPU, on each GPU otherwise; the profile's own where None.
        languages: The languages that are detected and served, by their codes; all that the checkpoint knows where
            empty.
        keep_previous: Whether `roll_back` can serve again what these models served before.
        parity: Whether to compare the graphs with transformers before they are published: "auto" does where it is
            installed, "require" insists, "off" does not.
        evaluate: A folder of recordings with their texts, as `read_recordings` describes it: the graphs must not err
            more on them than the checkpoint does.
        progress: Is told what happens, a line at a time.

    Raises:
        ParityFailed: The graphs do not say what the checkpoint says.
        EvaluationFailed: They err more than the checkpoint.
        ExportError: The checkpoint, the profile or the repository cannot be used.
    """
    compared = is_compared(parity)
    plan = make_plan(
        source,
        profile=profile,
        precision=precision,
        revision=revision,
        gpus=gpus,
        instances=instances,
        keep_previous=keep_previous,
        progress=progress,
    )
    notes: list[str] = []
    settings = read_whisper(plan.checkpoint, notes.append).speaking(languages)
    recordings = read_recordings(Path(evaluate), settings.prompt) if evaluate else ()
    gate = WhisperGate(plan, settings, compared=compared, recordings=recordings)
    report = plan.publish(whisper_models(plan, settings), repository, gate if gate.looks else None)
    return replace(report, compared=compared, evaluation=gate.evaluation, notes=tuple(notes))


def export_classifier(
    source: Path | str,
    repository: Path,
    *,
    name: ClassifierName,
    profile: str = "cpu",
    precision: str | None = None,
    revision: str | None = None,
    gpus: Sequence[int] = (),
    instances: int | None = None,
    keep_previous: bool = True,
    parity: ParityRule = "auto",
    progress: Progress = silent,
) -> ExportReport:
    """Turn a text classifier into the model `punctuate` or `sentiment`, and its tokenizer.

    `punctuate` wants a classifier of tokens, `sentiment` one of texts. BERT takes no more than `callscope[export]`, any
    other architecture `callscope[optimum]`. `punctuate` also takes a model of several heads, which comes as a graph
    (`heads`). The arguments, and what is raised, are those of `export_whisper`.
    """
    plan = make_plan(
        source,
        profile=profile,
        precision=precision,
        revision=revision,
        gpus=gpus,
        instances=instances,
        keep_previous=keep_previous,
        progress=progress,
    )
    if name == "punctuate" and has_heads(plan.checkpoint):
        return _export_heads(plan, repository, parity)
    return _export_labels(plan, repository, parity, name)


def _export_labels(plan: Plan, repository: Path, parity: ParityRule, name: ClassifierName) -> ExportReport:
    """Export a classifier that gives a text, or each of its tokens, one label."""
    compared = is_compared(parity)
    settings = read_classifier(plan.checkpoint, per_token=name == "punctuate")
    described = signature(name, settings.sizes)
    tokenizer = classifier_tokenizer(plan.checkpoint)

    def build() -> Graph:
        plan.progress(f"Building {name} ({plan.precision.name})")
        return classifier_graph(plan.checkpoint, settings, plan.precision, described)

    def compare(run: Run) -> Mapping[str, Any]:
        plan.progress("Comparing with transformers")
        return check_classifier(
            plan.checkpoint.folder, name, settings, tokenizer=tokenizer, precision=plan.precision.name, run=run
        ).as_dict()

    parameters = _classifier_parameters(plan, settings, name)
    models = [plan.model(described, build, parameters), plan.tokenizer(f"{name}_tokenizer", tokenizer)]
    report = plan.publish(models, repository, parity_gate(compare) if compared else None)
    return replace(report, compared=compared)


def _export_heads(plan: Plan, repository: Path, parity: ParityRule) -> ExportReport:
    """Export a punctuation model of several heads."""
    compared = is_compared(parity, with_transformers=False)
    check_precision(plan.precision, plan.checkpoint.source)
    settings = read_heads(plan.checkpoint)
    tokenizer = unigram_tokenizer(settings.pieces)
    described = filled(HEADS, {"characters": characters(open_graph(plan.checkpoint))})

    def build() -> Graph:
        plan.progress(f"Building punctuate ({plan.precision.name})")
        return heads_graph(plan.checkpoint, settings, plan.precision, described)

    def compare(run: Run) -> Mapping[str, Any]:
        plan.progress("Comparing with the published graph")
        return check_heads(
            plan.checkpoint, settings, tokenizer=tokenizer, precision=plan.precision.name, run=run
        ).as_dict()

    parameters = plan.parameters(
        labels=json.dumps(settings.labels, ensure_ascii=False),
        before_labels=json.dumps(settings.before_labels, ensure_ascii=False),
        heads=json.dumps(OUTPUTS),
        max_length=str(settings.max_length),
        tokenizer="punctuate_tokenizer",
        precision=plan.precision.name,
    )
    models = [plan.model(described, build, parameters), plan.tokenizer("punctuate_tokenizer", tokenizer)]
    report = plan.publish(models, repository, parity_gate(compare) if compared else None)
    return replace(report, compared=compared)


def _classifier_parameters(plan: Plan, settings: ClassifierSettings, name: ClassifierName) -> dict[str, str]:
    return plan.parameters(
        labels=json.dumps(settings.labels, ensure_ascii=False),
        max_length=str(settings.max_length),
        tokenizer=f"{name}_tokenizer",
        precision=plan.precision.name,
    )
