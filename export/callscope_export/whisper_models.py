"""The models that a Whisper checkpoint becomes."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from .aligner import aligner_graph
from .contract import Signature, signature
from .decoder import decoder_graph
from .encoder import encoder_graph
from .graph import Graph
from .mel import log_mel_graph
from .plan import Plan
from .precision import Precision
from .precisions import encoder_precision
from .progress import FollowedWeights
from .publish import Build, Model
from .whisper import WhisperSettings, whisper_weights

GraphOf = Callable[[Mapping[str, NDArray[Any]], WhisperSettings, Precision, Signature], Graph]
TRANSCRIBE = 3
"""How many of the graphs, from the first on, `transcribe` takes; `transcribe_words` takes them all."""


def whisper_models(plan: Plan, settings: WhisperSettings) -> list[Model]:
    """Plan `transcribe` and `transcribe_words`, their graphs and their tokenizer."""
    graphs = whisper_graphs(plan, settings)
    steps = tuple(described for described, _ in graphs)
    models = [plan.model(described, build, _parameters(plan, settings, described.name)) for described, build in graphs]
    for name, its_steps in (("transcribe", steps[:TRANSCRIBE]), ("transcribe_words", steps)):
        models.append(plan.model(signature(name, settings.sizes), None, _parameters(plan, settings, name), its_steps))
    return [*models, plan.tokenizer("whisper_tokenizer", plan.checkpoint.tokenizer)]


def whisper_graphs(plan: Plan, settings: WhisperSettings) -> list[tuple[Signature, Build]]:
    """List the graphs in the order in which sound goes through them, each with what builds it."""
    mel = signature("log_mel", settings.sizes)
    whole, rest = encoder_precision(plan.precision), plan.precision
    aligned = 1 + max(layer for layer, _ in settings.alignment_heads)
    return [
        (mel, lambda: log_mel_graph(settings.mel, mel)),
        _graph(plan, settings, "whisper_encoder", encoder_graph, precision=whole, layers=settings.encoder_layers),
        _graph(plan, settings, "whisper_decoder", decoder_graph, precision=rest, layers=settings.decoder_layers),
        _graph(plan, settings, "whisper_aligner", aligner_graph, precision=rest, layers=aligned),
    ]


def _graph(
    plan: Plan, settings: WhisperSettings, name: str, graph_of: GraphOf, *, precision: Precision, layers: int
) -> tuple[Signature, Build]:
    described = signature(name, settings.sizes, plan.precision.float_type)

    def build() -> Graph:
        what = f"Building {name} ({precision.name})"
        plan.progress(what)
        weights = FollowedWeights(whisper_weights(plan.checkpoint), layers, what, plan.progress)
        return graph_of(weights, settings, precision, described)

    return described, build


def _parameters(plan: Plan, settings: WhisperSettings, model: str) -> dict[str, str]:
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
