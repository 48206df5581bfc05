"""Any classifier that transformers knows, as a graph: traced by optimum, then brought into the contract's form.

The extra `optimum` installs both, and torch. FP16 graphs are traced in FP16: masks get the least number of that type,
and a layer norm stays one operator.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx

from .checkpoint import Checkpoint
from .contract import Signature
from .errors import CheckpointInvalid, CheckpointUnsupported
from .form import keep_to
from .matrices import store_in_8_bits
from .precision import Precision

OPSET = 18
"""The first in which a layer norm is one operator and all others are as in later ones; containers have it."""
TEXT = frozenset({"input_ids", "attention_mask", "token_type_ids"})
"""Inputs that a text alone gives."""


def can_trace() -> bool:
    """Whether all that tracing takes is installed."""
    try:
        version("optimum-onnx")  # the module `optimum` may be there without the part that exports
    except PackageNotFoundError:
        return False
    return all(find_spec(name) for name in ("torch", "transformers"))


def traced_graph(
    checkpoint: Checkpoint, reason: str, signature: Signature, precision: Precision, *, per_token: bool
) -> onnx.ModelProto:
    """Trace a checkpoint.

    Args:
        checkpoint: What to trace.
        reason: Why it has to be traced, for messages: a setting of config.json.
        signature: The contract of the graph.
        precision: How weights are stored.
        per_token: Whether every token gets labels, or the whole text.

    Raises:
        CheckpointInvalid: Its weights lack a tensor.
        CheckpointUnsupported: optimum is not installed, or cannot export it.
    """
    if not can_trace():
        raise CheckpointUnsupported(
            f"{checkpoint.source} has {reason}, which takes optimum to export, and that is not installed. "
            "Install it with `pip install 'callscope[optimum]'`."
        )
    with quiet():
        traced, config = _trace(checkpoint, reason, per_token=per_token, half=precision.float_type == "FP16")
    keep_to(traced, signature, int(config.pad_token_id or 0), {"logits": "logits"})
    if precision.name == "int8":
        store_in_8_bits(traced, config.vocab_size)
    return traced


def load_model(folder: Path, *, per_token: bool, half: bool = False) -> Any:  # noqa: ANN401  a transformers model
    """Open a checkpoint in transformers, with all its weights, ready to run.

    Raises:
        CheckpointInvalid: Its weights lack a tensor, which transformers would fill with random numbers.
    """
    import torch  # noqa: PLC0415  the extra `optimum`
    import transformers  # noqa: PLC0415

    kind = "Token" if per_token else "Sequence"
    auto = getattr(transformers, f"AutoModelFor{kind}Classification")
    options = {
        "dtype": torch.float16 if half else torch.float32,
        "attn_implementation": "eager",
        "output_loading_info": True,
    }
    model, loaded = auto.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)
    if missing := sorted(loaded["missing_keys"]):
        raise CheckpointInvalid(f"The weights have no tensor {missing[0]}. Check that the checkpoint is complete.")
    return model.eval()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep to ourselves what torch, transformers and optimum advise their developers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _trace(checkpoint: Checkpoint, reason: str, *, per_token: bool, half: bool) -> tuple[onnx.ModelProto, Any]:
    from optimum.exporters.onnx import export  # noqa: PLC0415  the extra `optimum`

    try:
        model = load_model(checkpoint.folder, per_token=per_token, half=half)
        described = _description(model, "token-classification" if per_token else "text-classification")
        with tempfile.TemporaryDirectory() as place:
            export(model, described, Path(place) / "model.onnx", opset=OPSET)
            return onnx.load(Path(place) / "model.onnx"), model.config
    except CheckpointInvalid:
        raise
    except Exception as error:  # whatever stops an architecture's own code
        raise CheckpointUnsupported(
            f"optimum cannot export {checkpoint.source}, which has {reason}: {first_line(error)}. "
            f"Choose another checkpoint{' or precision' if half else ''}."
        ) from error


def _description(model: Any, task: str) -> Any:  # noqa: ANN401  a model and its OnnxConfig
    from optimum.exporters.tasks import TasksManager  # noqa: PLC0415  the extra `optimum`

    described = TasksManager.get_exporter_config_constructor("onnx", model, task=task, library_name="transformers")(
        model.config
    )
    if others := sorted(set(described.inputs) - TEXT):
        raise ValueError(f"it needs more than text: {', '.join(others)}")
    return described


def first_line(error: Exception) -> str:
    """What an error of another library says, short enough for a sentence."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
