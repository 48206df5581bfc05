"""The parity gate of text classifiers: an exported one says what its checkpoint says, in company and alone.

The same texts go through transformers and through the graph, together in one batch; the shortest of them once more
without the padding that it has there, and once more with it but without its neighbours. The extra `referee` installs
transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import ClassifierSettings
from .errors import ExportError, ParityFailed
from .parity import Run
from .tracer import first_line, load_model, quiet

Array = NDArray[Any]
Texts = Mapping[str, Array]
Logits = Callable[[Texts], Array]
"""A classifier: texts of one length in, logits out."""

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
        alone: the same, between a text by itself and among others, equally padded, both by the graph.
    """

    logits: float
    probabilities: float
    alone: float


LIMITS: Mapping[str, ClassifierFigures] = {
    "fp32": ClassifierFigures(logits=1e-3, probabilities=1e-3, alone=1e-4),
    "fp16": ClassifierFigures(logits=5e-2, probabilities=3e-2, alone=3e-2),
    "int8": ClassifierFigures(logits=1e-1, probabilities=2e-1, alone=1e-2),
    "w8a16": ClassifierFigures(logits=5e-2, probabilities=3e-2, alone=3e-2),
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
    try:
        with quiet():
            reference = _reference(folder, per_token=settings.per_token)
            found = _figures(batch, reference, lambda texts: run(name, texts)["logits"], per_token=settings.per_token)
    except ExportError:
        raise
    except Exception as error:  # whatever stops an architecture's own code, or a graph that knows one shape only
        raise ParityFailed(
            f"The graph of {name} cannot be compared with its checkpoint: {first_line(error)}. "
            "Nothing was published; choose another checkpoint."
        ) from error
    limits = LIMITS[precision]
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


def _reference(folder: Path, *, per_token: bool) -> Logits:
    import torch  # noqa: PLC0415  the extra `referee`

    model = load_model(folder, per_token=per_token)

    def logits(texts: Texts) -> Array:
        mask = texts["attention_mask"]
        ids = np.where(mask, texts["input_ids"], model.config.pad_token_id or 0)
        with torch.no_grad():
            found = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
        return np.asarray(found.numpy())

    return logits


def _figures(batch: Texts, reference: Logits, graph: Logits, *, per_token: bool) -> ClassifierFigures:
    row = int(batch["attention_mask"].sum(axis=1).argmin())
    padded = {name: array[row : row + 1] for name, array in batch.items()}
    bare = {name: array[:, : padded["attention_mask"].sum()] for name, array in padded.items()}

    def labelled(logits: Array, texts: Texts) -> Array:
        return logits[texts["attention_mask"].astype(bool)] if per_token else logits

    company = graph(batch)
    found = np.concatenate([labelled(company, batch), labelled(graph(bare), bare)])
    expected = np.concatenate([labelled(reference(texts), texts) for texts in (batch, bare)])
    among, alone = labelled(company[row : row + 1], padded), labelled(graph(padded), padded)
    return ClassifierFigures(
        logits=float(np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean())),
        probabilities=_apart(found, expected),
        alone=_apart(alone, among),
    )


def _apart(one: Array, other: Array) -> float:
    return float(np.abs(_probabilities(one) - _probabilities(other)).max())


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
