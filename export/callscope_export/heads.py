"""Punctuation models of several heads, published as a graph, a SentencePiece model and config.yaml.

They are those of github.com/1-800-BAD-CODE/punctuators. The graph reads `input_ids`, takes what is no text from the
padding token, and gives four outputs in this order: for each token the index of the mark before it and of that after
it, for each of its characters whether it is a capital, and whether a sentence ends with it. Here it is brought into the
form of `punctuate`, without torch.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx
from onnx import helper, version_converter

from .checkpoint import Checkpoint, published_graphs
from .contract import Signature
from .errors import CheckpointInvalid, CheckpointUnsupported
from .form import keep_to
from .graph import Graph
from .matrices import store_in_8_bits
from .precision import Precision
from .tracer import quiet
from .unigram import padding_piece

NULL, ACRONYM = "<NULL>", "<ACRONYM>"
"""What labels are called that are no mark, where config.yaml gives no other name: none, and one after every letter."""
NO_MARK, EACH_LETTER = "O", "ACRONYM"
"""What they are called from here on."""
INPUT = "input_ids"
OUTPUTS = ("before", "after", "upper", "boundary")
RANKS = (2, 2, 3, 2)
"""Dimensions of the outputs, that of the batch included."""
PRECISIONS = ("fp32", "fp16", "int8")
OPSET_OF_8_BITS = 18
"""From which on the operators are there that 8-bit products take."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """What an export needs to know of a model of several heads.

    Attributes:
        labels: Of the mark after a token, in index order.
        before_labels: Of the mark before it.
        max_length: The most tokens of a text.
        padding: The token that fills up a batch.
        pieces: The file of the SentencePiece model.
    """

    labels: tuple[str, ...]
    before_labels: tuple[str, ...]
    max_length: int
    padding: int
    pieces: Path


def has_heads(checkpoint: Checkpoint) -> bool:
    """Tell whether a folder holds such a model, and no weights that could be exported otherwise."""
    return bool(published_graphs(checkpoint.folder)) and not any(checkpoint.folder.glob("*.safetensors"))


def read_heads(checkpoint: Checkpoint) -> HeadSettings:
    """Read a checkpoint's settings.

    Raises:
        CheckpointInvalid: A file or a setting is missing, or there is more than one of what one is wanted of.
    """
    path = checkpoint.folder / "config.yaml"
    config, pieces = _yaml(path), _only(checkpoint.folder, "*.model")
    try:
        names = {config.get("null_token", NULL): NO_MARK, config.get("acronym_token", ACRONYM): EACH_LETTER}
        after, before = (
            tuple(names.get(label, str(label)) for label in config[key]) for key in ("post_labels", "pre_labels")
        )
        return HeadSettings(after, before, int(config["max_length"]), padding_piece(pieces), pieces)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointInvalid(f"{path} has no usable {error}. Fetch it again.") from error


def open_graph(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Load the graph, whose outputs are checked by their number and shape.

    Raises:
        CheckpointInvalid: It cannot be read.
        CheckpointUnsupported: It is a graph of other inputs or outputs.
    """
    path = _only(checkpoint.folder, "*.onnx")
    try:
        model = onnx.load(path)
    except Exception as error:  # whatever protobuf raises, and onnx for weights in a file that is missing
        raise CheckpointInvalid(f"{path} cannot be read as ONNX ({error}). Fetch it again.") from error
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.name for value in model.graph.input if value.name not in weights]
    ranks = tuple(len(value.type.tensor_type.shape.dim) for value in model.graph.output)
    if inputs != [INPUT] or ranks != RANKS:
        raise CheckpointUnsupported(
            f"{path} takes {', '.join(inputs)} and gives outputs of {ranks} dimensions; {INPUT} and {RANKS} are "
            "wanted. Choose another checkpoint."
        )
    return model


def characters(model: onnx.ModelProto) -> int:
    """How many characters of a token are judged; -1 where the graph leaves that open."""
    last = model.graph.output[OUTPUTS.index("upper")].type.tensor_type.shape.dim[-1]
    return int(last.dim_value) or -1


def heads_graph(checkpoint: Checkpoint, settings: HeadSettings, precision: Precision, signature: Signature) -> Graph:
    """Build the graph from `input_ids` and `attention_mask`, shape (batch, L), to the outputs of `HEADS`.

    Raises:
        CheckpointInvalid, CheckpointUnsupported: As `open_graph`; or the precision is one it cannot be stored in.
    """
    model = open_graph(checkpoint)
    if precision.name == "int8":
        model = _upgraded(model, checkpoint)
    if precision.name == "fp16":
        model = _in_half_precision(model)
    given = {value.name: name for value, name in zip(model.graph.output, OUTPUTS, strict=True)}
    keep_to(model, signature, settings.padding, given)
    if precision.name == "int8":
        store_in_8_bits(model, _table_rows(model.graph))
    return Graph.of(model)


def check_precision(precision: Precision, source: str) -> None:
    """Refuse what a published graph cannot be stored in.

    Raises:
        CheckpointUnsupported: It is none of `PRECISIONS`, or fp16 without onnxruntime.
    """
    if precision.name not in PRECISIONS:
        raise CheckpointUnsupported(
            f"{source} comes as a graph, which can be stored in {', '.join(PRECISIONS)} and not in {precision.name}. "
            "Name one of them, such as --precision fp16."
        )
    if precision.name == "fp16" and not find_spec("onnxruntime"):
        raise CheckpointUnsupported(
            f"{source} comes as a graph, which takes onnxruntime to store in fp16, and that is not installed. "
            "Install it with `pip install 'callscope[referee]'`, or name --precision fp32."
        )


def _in_half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    from onnxruntime.transformers import float16  # type: ignore[import-untyped]  # noqa: PLC0415  see check_precision

    with quiet():  # it tells of every weight that half precision has no number for
        converted: onnx.ModelProto = float16.convert_float_to_float16(model, disable_shape_infer=True)
    return converted


def _upgraded(model: onnx.ModelProto, checkpoint: Checkpoint) -> onnx.ModelProto:
    opset = next(entry.version for entry in model.opset_import if not entry.domain)
    if opset >= OPSET_OF_8_BITS:
        return model
    weights = _taken_out(model)
    try:
        upgraded = version_converter.convert_version(model, OPSET_OF_8_BITS)
    except Exception as error:  # whatever stops the converter at one operator
        raise CheckpointUnsupported(
            f"The graph of {checkpoint.source} is of opset {opset}, and cannot be brought to {OPSET_OF_8_BITS} for "
            f"8 bits ({error}). Export it with --precision fp32."
        ) from error
    upgraded.graph.initializer.extend(weights)
    (ids,) = (value for value in upgraded.graph.input if value.name == INPUT)
    del upgraded.graph.input[:]
    upgraded.graph.input.append(ids)
    return upgraded


def _taken_out(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Make inputs of a graph's weights, the last ones, and return them: the converter would hold them several times."""
    stored = list(model.graph.initializer)
    weights = [tensor for tensor in stored if len(tensor.dims) > 1]
    del model.graph.initializer[:]
    model.graph.initializer.extend(tensor for tensor in stored if len(tensor.dims) <= 1)
    described = (helper.make_tensor_value_info(one.name, one.data_type, one.dims) for one in weights)
    model.graph.input.extend(described)
    return weights


def _table_rows(graph: onnx.GraphProto) -> int:
    """The number of tokens: the rows of the table that they are looked up in; 0 where none is."""
    rows = {tensor.name: tensor.dims[0] for tensor in graph.initializer if tensor.dims}
    looked_up = (node.input[0] for node in graph.node if node.op_type == "Gather" and node.input[1] == "text.ids")
    return next((int(rows[table]) for table in looked_up if table in rows), 0)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise CheckpointInvalid(f"{folder} holds {len(found)} files {pattern}, and one is wanted. Leave one there.")
    return found[0]


def _yaml(path: Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415  comes with huggingface-hub, and has no types

    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise CheckpointInvalid(f"{path} cannot be read ({error}). Fetch it again.") from error
