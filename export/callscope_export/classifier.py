"""Text classifiers as graphs: the models `punctuate` and `sentiment`.

BERT is written straight from its weights; any other architecture is traced (`tracer`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .bert import BertSettings, bert_graph, uncovered
from .checkpoint import Checkpoint
from .contract import Signature
from .errors import CheckpointInvalid
from .graph import Graph
from .precision import Precision
from .tracer import traced_graph

PADDED_POSITIONS = frozenset(
    {
        "camembert",
        "data2vec-text",
        "ibert",
        "lilt",
        "longformer",
        "luke",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)
"""Architectures that count positions from the padding token's id on, so that the first ones are never a text's:
`create_position_ids_from_input_ids` in transformers."""
POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len")
"""What config.json calls the most positions of a text."""


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """What an export needs to know of any classifier.

    Attributes:
        labels: Their names in index order.
        per_token: Whether every token gets labels, or the whole text.
        max_length: The most tokens of a text.
    """

    labels: tuple[str, ...]
    per_token: bool
    max_length: int

    @property
    def sizes(self) -> dict[str, int]:
        """The contract's named dimensions."""
        return {"labels": len(self.labels)}


def read_classifier(checkpoint: Checkpoint, *, per_token: bool) -> ClassifierSettings:
    """Read a checkpoint's settings.

    Raises:
        CheckpointInvalid: A setting is missing, or it classifies texts where tokens are wanted or the reverse.
    """
    config = checkpoint.config
    wanted = "ForTokenClassification" if per_token else "ForSequenceClassification"
    if not str((config.get("architectures") or [""])[0]).endswith(wanted):
        raise CheckpointInvalid(
            f"{checkpoint.folder} holds {config.get('architectures')}, and this model needs one that ends in {wanted}. "
            "Name another checkpoint."
        )
    try:
        return ClassifierSettings(_labels(config), per_token, _max_length(checkpoint))
    except KeyError as error:
        raise CheckpointInvalid(f"{checkpoint.folder}/config.json has no {error}. Fetch it again.") from error


def classifier_graph(
    checkpoint: Checkpoint, settings: ClassifierSettings, precision: Precision, signature: Signature
) -> Graph:
    """Build the graph from `input_ids` and `attention_mask`, shape (batch, L), to `logits`.

    Raises:
        CheckpointInvalid: A setting or a tensor is missing.
        CheckpointUnsupported: Neither route covers the architecture, or the extra `optimum` is not installed.
    """
    config = checkpoint.config
    if reason := uncovered(config):
        return Graph.of(traced_graph(checkpoint, reason, signature, precision, per_token=settings.per_token))
    try:
        bert = BertSettings.of(config, per_token=settings.per_token)
    except KeyError as error:
        raise CheckpointInvalid(f"{checkpoint.folder}/config.json has no {error}. Fetch it again.") from error
    return bert_graph(checkpoint.weights("bert."), bert, precision, signature)


def _labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    labels = {int(index): str(label) for index, label in config["id2label"].items()}
    return tuple(labels[index] for index in sorted(labels))


def _max_length(checkpoint: Checkpoint) -> int:
    """The most tokens that the model has positions for, or fewer where its tokenizer says so.

    Raises:
        KeyError: Neither says.
    """
    config = checkpoint.config
    limits = [int(config[name]) for name in POSITIONS if config.get(name)][:1]
    if limits and config.get("model_type") in PADDED_POSITIONS:
        padding = config.get("pad_token_id")
        limits = [limits[0] - (1 if padding is None else int(padding)) - 1]
    if (checkpoint.folder / "tokenizer_config.json").is_file():
        limits += _tokenizer_limits(checkpoint.settings("tokenizer_config.json"))
    if not limits:
        raise KeyError(POSITIONS[0])
    return min(limits)


def _tokenizer_limits(config: Mapping[str, Any]) -> list[int]:
    """`model_max_length`, unless it is what transformers writes for a tokenizer without a limit: 1e30."""
    limit = config.get("model_max_length")
    return [int(limit)] if limit and limit < 2**31 else []
