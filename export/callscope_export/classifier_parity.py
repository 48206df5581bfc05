"""The parity gate of text classifiers: an exported one says what its checkpoint says, whatever a text is padded to.

The same texts go through transformers and through the graph, together in one batch; and the shortest of them, which has
the most padding there, alone as well. The extra `referee` installs transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import ClassifierSettings
from .errors import ParityFailed
from .parity import Run
from .tracer import load_model, quiet

Array = NDArray[Any]

TEXTS = (
    "thank you",
    "hello my line has been down since monday and nobody called me back",
    "i am really happy with the new contract, it works very well!",
    "私の請求書が間違っているようなので、確認していただけますか。",
    "はい、ありがとうございます。とても助かりました",
    "안녕하세요 어제부터 인터넷이 안 돼서 전화드렸어요",
    "네 감사합니다 정말 친절하시네요",
    "this is the third time that i call about the same problem and i want to cancel everything right now " * 3,
)


@dataclass(frozen=True, slots=True)
class ClassifierFigures:
    """How far a graph is from its checkpoint, or may be.

    Attributes:
        logits: of all texts, relative: root mean square of the difference over that of the logits.
        probabilities: largest difference of a label's probability.
        alone: the same, between a text alone and among others, both by the graph.
    """

    logits: float
    probabilities: float
    alone: float


LIMITS: Mapping[str, ClassifierFigures] = {
    "fp32": ClassifierFigures(logits=1e-3, probabilities=1e-3, alone=1e-4),
    "fp16": ClassifierFigures(logits=5e-2, probabilities=3e-2, alone=3e-2),
    "int8": ClassifierFigures(logits=1e-1, probabilities=2e-1, alone=1e-2),
}
"""By precision."""


@dataclass(frozen=True, slots=True)
class ClassifierParity:
    """What was compared.

    Attributes:
        reference: what the graph was compared with.
        precision: that of the graph.
        texts: how many.
        tokens: of all of them.
        found: the figures, by the names of `ClassifierFigures`.
        limits: the most they may be in this precision.
        failures: the figures beyond their limits, in words.
    """

    reference: str
    precision: str
    texts: int
    tokens: int
    found: ClassifierFigures
    limits: ClassifierFigures
    failures: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """For report.json."""
        return asdict(self)


def check_classifier(
    folder: Path, name: str, settings: ClassifierSettings, *, tokenizer: bytes, precision: str, run: Run
) -> ClassifierParity:
    """Compare a graph with transformers.

    Args:
        folder: The checkpoint.
        name: The model that `run` runs.
        settings: What was read of the checkpoint.
        tokenizer: The content of tokenizer.json.
        precision: That of the graph.
        run: Runs it.

    Raises:
        ParityFailed: A figure is beyond its limit; the message names the first.
    """
    batch = _encoded(tokenizer, settings.max_length)
    with quiet():
        expected = _reference(folder, settings, batch)
    found, limits = _figures(expected, batch, settings, name, run), LIMITS[precision]
    failures = _failures(found, limits)
    if failures:
        raise ParityFailed(
            f"The graph of {name} does not say what the checkpoint says: {failures[0]}. "
            "Nothing was published; choose a finer precision, or report this with the name of the checkpoint."
        )
    about = f"transformers {version('transformers')}, float32"
    return ClassifierParity(about, precision, len(TEXTS), int(batch["attention_mask"].sum()), found, limits)


def _encoded(tokenizer: bytes, max_length: int) -> dict[str, Array]:
    """The texts in one batch, filled up with zeros."""
    from tokenizers import Tokenizer  # noqa: PLC0415  comes with transformers

    encode = Tokenizer.from_buffer(tokenizer).encode
    rows = [encode(text).ids[:max_length] for text in TEXTS]
    length = max(map(len, rows))
    ids = np.array([row + [0] * (length - len(row)) for row in rows], np.int64)
    mask = np.array([[1] * len(row) + [0] * (length - len(row)) for row in rows], np.int64)
    return {"input_ids": ids, "attention_mask": mask}


def _reference(folder: Path, settings: ClassifierSettings, batch: Mapping[str, Array]) -> Array:
    import torch  # noqa: PLC0415  the extra `referee`

    model = load_model(folder, "token-classification" if settings.per_token else "text-classification", "float32")
    hidden = batch["attention_mask"] == 0
    ids = np.where(hidden, model.config.pad_token_id or 0, batch["input_ids"])
    with torch.no_grad():
        inputs = {"input_ids": ids, "attention_mask": batch["attention_mask"]}
        logits = model(**{name: torch.from_numpy(array) for name, array in inputs.items()}).logits
    return np.asarray(logits.numpy())


def _figures(
    expected: Array, batch: Mapping[str, Array], settings: ClassifierSettings, name: str, run: Run
) -> ClassifierFigures:
    found = run(name, batch)["logits"]
    lengths = batch["attention_mask"].sum(axis=1)
    row, length = int(lengths.argmin()), int(lengths.min())
    alone = run(name, {key: array[row : row + 1, :length] for key, array in batch.items()})["logits"][0]
    among = found[row, :length] if settings.per_token else found[row]
    kept = batch["attention_mask"].astype(bool) if settings.per_token else slice(None)
    found, expected = found[kept], expected[kept]
    return ClassifierFigures(
        logits=float(np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean())),
        probabilities=float(np.abs(_probabilities(found) - _probabilities(expected)).max()),
        alone=float(np.abs(_probabilities(alone) - _probabilities(among)).max()),
    )


def _probabilities(logits: Array) -> Array:
    exponents = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    probabilities: Array = exponents / exponents.sum(axis=-1, keepdims=True)
    return probabilities


def _failures(found: ClassifierFigures, limits: ClassifierFigures) -> tuple[str, ...]:
    """Name what is beyond its limit; NaN is beyond any."""
    words = {
        "logits": "its logits differ",
        "probabilities": "its probabilities differ",
        "alone": "the probabilities of a text alone and among others differ",
    }
    return tuple(
        f"{what} by {getattr(found, key):.2g}, and {getattr(limits, key):.2g} is the most"
        for key, what in words.items()
        if not getattr(found, key) <= getattr(limits, key)
    )
