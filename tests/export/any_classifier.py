"""Writes small random classifiers of many architectures with transformers' own classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .random_checkpoint import write_text_tokenizer

TOKEN_LABELS = ("O", "COMMA", "PERIOD", "QUESTION")
TEXT_LABELS = ("negative", "neutral", "positive")
WIDE = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 80}
"""Sizes by their usual names; blocks of 32 do not divide them."""


@dataclass(frozen=True)
class AnyClassifier:
    """A class of configuration in transformers, and its settings."""

    config: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    per_token: bool = False
    max_length: int = 64

    @property
    def labels(self) -> tuple[str, ...]:
        return TOKEN_LABELS if self.per_token else TEXT_LABELS


DISENTANGLED = {
    "relative_attention": True,
    "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
}
DISENTANGLED |= {"norm_rel_ebd": "layer_norm", "type_vocab_size": 0, "position_biased_input": False}
CLASSIFIERS = {
    "xlm-roberta": AnyClassifier("XLMRoberta", {**WIDE, "max_position_embeddings": 66}, per_token=True),
    "roberta": AnyClassifier("Roberta", {**WIDE, "max_position_embeddings": 66}),
    "distilbert": AnyClassifier("DistilBert", {"dim": 48, "n_layers": 2, "n_heads": 4, "hidden_dim": 80}),
    "electra": AnyClassifier("Electra", {**WIDE, "embedding_size": 16}),
    "albert": AnyClassifier("Albert", {**WIDE, "embedding_size": 16}, per_token=True),
    "deberta-v2": AnyClassifier("DebertaV2", {**WIDE, **DISENTANGLED}, per_token=True),
    "bert": AnyClassifier("Bert", {**WIDE, "hidden_act": "relu"}),
}
"""By model_type; BERT with an activation that its own graph is not for."""


def write_classifier(folder: Path, classifier: AnyClassifier, *, seed: int = 1) -> Path:
    """Write a checkpoint whose labels depend on every token."""
    import torch  # noqa: PLC0415  the extra `optimum`
    import transformers  # noqa: PLC0415

    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    settings: dict[str, Any] = {"max_position_embeddings": classifier.max_length, **classifier.settings}
    settings |= {"vocab_size": write_text_tokenizer(folder), "id2label": dict(enumerate(classifier.labels))}
    config = getattr(transformers, f"{classifier.config}Config")(**settings)
    kind = "Token" if classifier.per_token else "Sequence"
    model = getattr(transformers, f"AutoModelFor{kind}Classification").from_config(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            scale = 0.2 if "norm" in name.lower() else 1.2 / weight.shape[-1] ** 0.5
            weight.add_(scale * torch.randn_like(weight))
    model.save_pretrained(folder)
    return folder
