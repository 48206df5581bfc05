"""Text classifiers as graphs: the models `punctuate` and `sentiment`.

`ARCHITECTURES` maps a checkpoint's model_type to the function that builds its graph; another architecture is one more
entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Checkpoint
from .contract import Signature
from .errors import CheckpointInvalid, CheckpointUnsupported
from .graph import Graph, GraphBuilder, finish
from .layers import FeedForward, Loader, SelfAttention
from .precision import Precision, cast_float


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """What an export needs to know of a classifier, from config.json.

    Attributes:
        architecture: Its model_type.
        labels: Their names in index order.
        per_token: Whether every token gets labels, or the whole text.
        max_length: The most tokens of a text.
        layers: Transformer layers.
        heads: Attention heads.
        epsilon: Of every layer norm.
    """

    architecture: str
    labels: tuple[str, ...]
    per_token: bool
    max_length: int
    layers: int
    heads: int
    epsilon: float

    @property
    def sizes(self) -> dict[str, int]:
        """The contract's named dimensions."""
        return {"labels": len(self.labels)}


Weights = Mapping[str, NDArray[Any]]
Architecture = Callable[[Weights, ClassifierSettings, Precision, Signature], Graph]


def read_classifier(checkpoint: Checkpoint, *, per_token: bool) -> ClassifierSettings:
    """Read a checkpoint's settings.

    Raises:
        CheckpointInvalid: A setting is missing, or it classifies texts where tokens are wanted or the reverse.
        CheckpointUnsupported: An architecture that is not in `ARCHITECTURES`, or a setting its graph does not cover.
    """
    config = checkpoint.config
    _refuse_unsupported(config, checkpoint.folder.name)
    wanted = "ForTokenClassification" if per_token else "ForSequenceClassification"
    if not str(config.get("architectures", [""])[0]).endswith(wanted):
        raise CheckpointInvalid(
            f"{checkpoint.folder} holds {config.get('architectures')}, and this model needs one that ends in {wanted}. "
            "Name another checkpoint."
        )
    try:
        return _settings(config, per_token=per_token)
    except KeyError as error:
        raise CheckpointInvalid(f"{checkpoint.folder}/config.json has no {error}. Fetch it again.") from error


def classifier_graph(
    weights: Weights, settings: ClassifierSettings, precision: Precision, signature: Signature
) -> Graph:
    """Build the graph from `input_ids` and `attention_mask`, shape (batch, L), to `logits`."""
    return ARCHITECTURES[settings.architecture](weights, settings, precision, signature)


def _refuse_unsupported(config: Mapping[str, Any], name: str) -> None:
    if config.get("model_type") not in ARCHITECTURES:
        raise CheckpointUnsupported(
            f"{name} is a {config.get('model_type')} model, and {', '.join(ARCHITECTURES)} can be exported. "
            "Choose another checkpoint."
        )
    for key, value in {"hidden_act": "gelu", "position_embedding_type": "absolute"}.items():
        if config.get(key, value) != value:
            raise CheckpointUnsupported(
                f"{name} has {key} = {config[key]!r}, and only {value!r} can be exported. Choose another checkpoint."
            )


def _settings(config: Mapping[str, Any], *, per_token: bool) -> ClassifierSettings:
    labels = {int(index): str(label) for index, label in config["id2label"].items()}
    return ClassifierSettings(
        architecture=config["model_type"],
        labels=tuple(labels[index] for index in sorted(labels)),
        per_token=per_token,
        max_length=config["max_position_embeddings"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        epsilon=config.get("layer_norm_eps", 1e-12),
    )


def _bert(weights: Weights, settings: ClassifierSettings, precision: Precision, signature: Signature) -> Graph:
    graph = GraphBuilder(signature.name)
    loader = Loader(graph, weights, precision)
    ids, attention_mask = (graph.input(tensor, batched=True) for tensor in signature.inputs)
    mask = _padding_mask(graph, attention_mask, precision)
    x = _bert_embeddings(loader.at("embeddings"), ids, settings.epsilon)
    for index in range(settings.layers):
        x = _bert_layer(loader.at(f"encoder.layer.{index}"), settings, x, mask)
    if not settings.per_token:
        first = graph.op("Gather", x, graph.constant(np.int64(0)), axis=1)
        x = graph.op("Tanh", loader.linear("pooler.dense")(graph, first))
    logits = loader.linear("classifier")(graph, x)
    return finish(graph, signature, {"logits": cast_float(graph, logits, precision.float_type, "FP32")})


def _padding_mask(graph: GraphBuilder, attention_mask: str, precision: Precision) -> str:
    """Turn (batch, L) into what is added to scores: 0, or a number no score outweighs, shape (batch, 1, 1, L)."""
    padding = graph.op("Equal", attention_mask, graph.constant(np.int64(0)))
    low, zero = graph.constant(precision.dtype(-30000)), graph.constant(precision.dtype(0))
    return graph.op("Unsqueeze", graph.op("Where", padding, low, zero), graph.integers(1, 2))


def _bert_embeddings(loader: Loader, ids: str, epsilon: float) -> str:
    graph = loader.graph
    words = loader.precision.table(graph, loader.array("word_embeddings.weight")).rows(graph, ids)
    # Every token is of the first kind, so that kind's embedding goes into the positions.
    kind = loader.array("token_type_embeddings.weight")[:1]
    places = graph.constant((loader.array("position_embeddings.weight") + kind).astype(loader.precision.dtype))
    length = graph.op("Shape", ids, start=1, end=2)
    positions = graph.op("Slice", places, graph.integers(0), length, graph.integers(0))
    return loader.norm("LayerNorm", epsilon)(graph, graph.op("Add", words, positions))


def _bert_layer(loader: Loader, settings: ClassifierSettings, x: str, mask: str) -> str:
    graph, own = loader.graph, loader.at("attention.self")
    size = own.array("query.weight").shape[0] // settings.heads
    projection = own.linear("query", "key", "value", scales=(size**-0.5, 1.0, 1.0))
    attention = SelfAttention(projection, loader.linear("attention.output.dense"), settings.heads)
    attended = graph.op("Add", attention(graph, x, mask), x)
    x = loader.norm("attention.output.LayerNorm", settings.epsilon)(graph, attended)
    forward = FeedForward(loader.linear("intermediate.dense"), loader.linear("output.dense"))
    return loader.norm("output.LayerNorm", settings.epsilon)(graph, graph.op("Add", forward(graph, x), x))


ARCHITECTURES: dict[str, Architecture] = {"bert": _bert}
