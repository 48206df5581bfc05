"""The parity gate of models of several heads: an exported graph decides what the published one decides.

Both give decisions and no logits, so that what is compared is the share of equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Checkpoint, published_graphs
from .classifier_parity import TEXTS
from .errors import ParityFailed
from .graph_runs import GraphRuns
from .heads import OUTPUTS, HeadSettings
from .parity import Run
from .tracer import first_line

Array = NDArray[Any]
Batch = Mapping[str, Array]

PUBLISHED = "published"
LIMITS: Mapping[str, float] = {"fp32": 0.999, "fp16": 0.98, "int8": 0.9}
"""The least share of decisions that are the same, by precision."""
ALONE = 0.99
"""The least share that is the same for a text by itself and among others."""


@dataclass(frozen=True, slots=True)
class HeadsParity:
    """What was compared.

    Attributes:
        reference: What the graph was compared with.
        precision: That of the graph.
        texts: How many.
        tokens: Of all of them.
        found: The share of decisions that are the same, by head.
        alone: The share that is the same for a text by itself and among others.
        limit: The least that each of `found` may be.
    """

    reference: str
    precision: str
    texts: int
    tokens: int
    found: dict[str, float]
    alone: float
    limit: float

    def as_dict(self) -> dict[str, Any]:
        """For report.json."""
        return asdict(self)


def check_heads(
    checkpoint: Checkpoint, settings: HeadSettings, *, tokenizer: bytes, precision: str, run: Run
) -> HeadsParity:
    """Compare a graph with the one it was made of.

    Args:
        checkpoint: Where that is.
        settings: What was read of it.
        tokenizer: The content of tokenizer.json.
        precision: That of the graph.
        run: Runs it, as `punctuate`.

    Raises:
        ParityFailed: Too few decisions are the same, or one of the graphs cannot be run.
    """
    batch = _encoded(tokenizer, settings.max_length)
    mask = batch["attention_mask"].astype(bool)
    try:
        found, expected = run("punctuate", batch), _published(checkpoint, settings, batch)
        alone = run("punctuate", {name: array[:1] for name, array in batch.items()})
    except Exception as error:  # whatever stops a graph
        raise ParityFailed(
            f"The graph of punctuate cannot be compared with {checkpoint.source}: {first_line(error)}. "
            "Nothing was published; choose another checkpoint."
        ) from error
    shares = {name: _share(found[name][mask], expected[name][mask]) for name in OUTPUTS}
    by_itself = min(_share(alone[name][0][mask[0]], found[name][0][mask[0]]) for name in OUTPUTS)
    limit = LIMITS[precision]
    head, least = min(shares.items(), key=lambda entry: entry[1])
    if least < limit or by_itself < ALONE:
        what = (
            f"of `{head}` {least:.1%} are the same, and {limit:.1%} is the least"
            if least < limit
            else f"of a text alone and among others {by_itself:.1%} are the same, and {ALONE:.1%} is the least"
        )
        raise ParityFailed(
            f"The graph of punctuate does not decide what {checkpoint.source} decides: {what}. "
            "Nothing was published; choose --precision fp32, or report this with the name of the checkpoint."
        )
    about = f"the published graph, onnxruntime {version('onnxruntime')}"
    return HeadsParity(about, precision, len(TEXTS), int(mask.sum()), shares, by_itself, limit)


def _encoded(tokenizer: bytes, max_length: int) -> dict[str, Array]:
    """The texts in one batch, in lower case and filled up with zeros."""
    from tokenizers import Tokenizer  # noqa: PLC0415  as the export of a classifier

    encode = Tokenizer.from_buffer(tokenizer).encode
    rows = [encode(text.lower()).ids[:max_length] for text in TEXTS]
    length = max(map(len, rows))
    ids = np.array([row + [0] * (length - len(row)) for row in rows], np.int64)
    mask = np.array([[1] * len(row) + [0] * (length - len(row)) for row in rows], np.int64)
    return {"input_ids": ids, "attention_mask": mask}


def _published(checkpoint: Checkpoint, settings: HeadSettings, batch: Batch) -> dict[str, Array]:
    graphs = dict.fromkeys((PUBLISHED,), published_graphs(checkpoint.folder)[0])
    ids = np.where(batch["attention_mask"], batch["input_ids"], settings.padding)
    answer = GraphRuns(graphs, keep_open=False)(PUBLISHED, {"input_ids": ids})
    return dict(zip(OUTPUTS, answer.values(), strict=True))


def _share(found: Array, expected: Array) -> float:
    return float((found == expected).mean()) if found.size else 1.0
