"""The wire contract as data: the models, their tensors, and the table that describes them.

Graphs, config.pbtxt files and the repository's README are all made from `CONTRACT`. Dimensions leave out the batch; a
name stands for a size of the checkpoint, and -1 for a size that each request chooses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

VERSION = "1"
FLOAT = "FP32|FP16"
"""The data type of values that are FP16 in an fp16 export and FP32 in every other."""

SIZES = {
    "S": "samples in a window",
    "M": "mel bins",
    "F": "mel frames in a window",
    "C": "encoder positions",
    "D": "model width",
    "N": "most text tokens a window can give",
    "L": "tokens of the text, any number up to `max_length`",
    "labels": "labels of the classifier",
    "characters": "characters of a token that are judged",
    "B": "bytes of the slice",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output.

    Attributes:
        name: Its name in requests and responses.
        dtype: Triton's name of the data type, or `FLOAT`.
        dims: Sizes without the batch; names are keys of `SIZES`.
    """

    name: str
    dtype: str
    dims: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """A model as seen from outside.

    Attributes:
        name: The name in `/v2/models/NAME`.
        kind: "onnxruntime" or "ensemble".
        inputs: What a request gives.
        outputs: What a response gives.
        batched: Whether a batch dimension stands before every shape.
    """

    name: str
    kind: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    batched: bool = True


OPTIONS = (
    Tensor("language", "INT32", (1,)),
    Tensor("task", "INT32", (1,)),
    Tensor("max_tokens", "INT32", (1,)),
    Tensor("temperature", "FP32", (1,)),
)
TOKENS = Tensor("tokens", "INT32", ("N",))
TRANSCRIPT = (
    TOKENS,
    Tensor("logprobs", "FP32", ("N",)),
    Tensor("chosen_language", "INT32", (1,)),
    Tensor("language_probability", "FP32", (1,)),
    Tensor("no_speech_probability", "FP32", (1,)),
)
TEXT = (Tensor("input_ids", "INT64", ("L",)), Tensor("attention_mask", "INT64", ("L",)))
AUDIO = Tensor("audio", "INT16", ("S",))
MEL = Tensor("mel", "FP32", ("M", "F"))
STATES = Tensor("states", FLOAT, ("C", "D"))
ALIGNMENT = Tensor("alignment", "FP32", ("N", "C"))


def _tokenizer(name: str) -> Signature:
    place = (Tensor("offset", "INT64", (1,)), Tensor("length", "INT64", (1,)))
    return Signature(name, "onnxruntime", place, (Tensor("bytes", "UINT8", ("B",)),), batched=False)


CONTRACT: tuple[Signature, ...] = (
    Signature("log_mel", "onnxruntime", (AUDIO,), (MEL,)),
    Signature("whisper_encoder", "onnxruntime", (MEL,), (STATES,)),
    Signature("whisper_decoder", "onnxruntime", (STATES, *OPTIONS), TRANSCRIPT),
    Signature("transcribe", "ensemble", (AUDIO, *OPTIONS), TRANSCRIPT),
    Signature(
        "whisper_aligner", "onnxruntime", (STATES, TOKENS, Tensor("chosen_language", "INT32", (1,))), (ALIGNMENT,)
    ),
    Signature("transcribe_words", "ensemble", (AUDIO, *OPTIONS), (*TRANSCRIPT, ALIGNMENT)),
    _tokenizer("whisper_tokenizer"),
    Signature("punctuate", "onnxruntime", TEXT, (Tensor("logits", "FP32", ("L", "labels")),)),
    _tokenizer("punctuate_tokenizer"),
    Signature("sentiment", "onnxruntime", TEXT, (Tensor("logits", "FP32", ("labels",)),)),
    _tokenizer("sentiment_tokenizer"),
)
HEADS = Signature(
    "punctuate",
    "onnxruntime",
    TEXT,
    (
        Tensor("before", "INT64", ("L",)),
        Tensor("after", "INT64", ("L",)),
        Tensor("upper", "BOOL", ("L", "characters")),
        Tensor("boundary", "BOOL", ("L",)),
    ),
)
"""`punctuate` where the checkpoint has a head for each of these; a client reads the parameter `heads`."""


def signature(name: str, sizes: Mapping[str, int], float_type: str = "FP32") -> Signature:
    """Look up a model and fill in one checkpoint's sizes.

    Args:
        name: A model of `CONTRACT`.
        sizes: The size behind each name of a dimension; a name without one is chosen by each request (-1).
        float_type: What `FLOAT` stands for.

    Returns:
        The same model with a number for every dimension and a data type for every tensor.

    Raises:
        KeyError: The contract has no model of this name.
    """
    return filled({entry.name: entry for entry in CONTRACT}[name], sizes, float_type)


def filled(model: Signature, sizes: Mapping[str, int], float_type: str = "FP32") -> Signature:
    """Fill in one checkpoint's sizes: `signature` for a model that is at hand."""

    def fill(tensor: Tensor) -> Tensor:
        dims = tuple(dim if isinstance(dim, int) else sizes.get(dim, -1) for dim in tensor.dims)
        return Tensor(tensor.name, float_type if tensor.dtype == FLOAT else tensor.dtype, dims)

    return replace(model, inputs=tuple(map(fill, model.inputs)), outputs=tuple(map(fill, model.outputs)))


def contract_table() -> str:
    """Render `CONTRACT` as a Markdown table, a row for each model."""
    rows = ["| model | kind | inputs | outputs |", "|---|---|---|---|"]
    rows += [f"| `{m.name}` | {m.kind} | {cell(m.inputs)} | {cell(m.outputs)} |" for m in CONTRACT]
    return "\n".join(rows)


def cell(tensors: tuple[Tensor, ...]) -> str:
    """Render inputs or outputs as a cell of that table."""
    return ", ".join(
        f"`{tensor.name}` {tensor.dtype.replace('|', ' or ')} [{','.join(map(str, tensor.dims))}]" for tensor in tensors
    )
