"""Whether a graph's inputs and outputs are what config.pbtxt says they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # Triton runs these files as top-level modules
    from callscope_server.backends.onnxruntime.options import ConfigError
else:
    from options import ConfigError

ONNX_TYPES = {
    "TYPE_BOOL": "tensor(bool)",
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_UINT16": "tensor(uint16)",
    "TYPE_UINT32": "tensor(uint32)",
    "TYPE_UINT64": "tensor(uint64)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT16": "tensor(int16)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
}
FLAGS = ("is_shape_tensor", "allow_ragged_batch", "is_non_linear_format_io")


class Node(Protocol):
    """An input or output of a graph, as ONNX Runtime describes it; an unknown dimension is a name or None."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def check_signature(
    config: Mapping[str, Any], inputs: Sequence[Node], outputs: Sequence[Node], optional: Iterable[str]
) -> None:
    """Raise where the configuration and the graph disagree.

    Args:
        config: the model's configuration.
        inputs: the graph's inputs that must be given.
        outputs: the graph's outputs.
        optional: names of the inputs that have a value in the graph and may be left out.

    Raises:
        ConfigError: a name, type or shape differs, or a tensor asks for something unsupported.
    """
    batched = int(config.get("max_batch_size", 0)) > 0
    may_omit = {node.name for node in inputs if node.name in set(optional)}
    for what, entries, nodes in (("input", config["input"], inputs), ("output", config["output"], outputs)):
        graph = {node.name: node for node in nodes}
        for entry in entries:
            _check_tensor(what, entry, graph, batched=batched)
    for entry in config["input"]:
        if entry.get("optional") and entry["name"] not in may_omit:
            raise ConfigError(
                f"input {entry['name']} is optional, but the graph has no value for it. Make it required."
            )
    named = {entry["name"] for entry in config["input"]}
    for missing in sorted({node.name for node in inputs} - named - may_omit):
        raise ConfigError(f"the graph needs the input {missing}, which config.pbtxt does not name. Add it there.")


def _check_tensor(what: str, entry: Mapping[str, Any], graph: Mapping[str, Node], *, batched: bool) -> None:
    name, data_type = entry["name"], entry["data_type"]
    for flag in FLAGS:
        if entry.get(flag):
            raise ConfigError(f"{flag} of {what} {name} is not supported by this onnxruntime backend. Remove it.")
    if name not in graph:
        raise ConfigError(
            f"the graph has no {what} {name}; it has {', '.join(sorted(graph))}. Correct the name in config.pbtxt."
        )
    if data_type not in ONNX_TYPES:
        raise ConfigError(
            f"{what} {name} has {data_type}, which is not supported by this onnxruntime backend. Use a number type."
        )
    if graph[name].type != ONNX_TYPES[data_type]:
        raise ConfigError(
            f"{what} {name} is {data_type} in config.pbtxt and {graph[name].type} in the graph. Make them agree."
        )
    _check_shape(what, entry, list(graph[name].shape), batched=batched)


def _check_shape(what: str, entry: Mapping[str, Any], shape: list[int | str | None], *, batched: bool) -> None:
    if not shape:  # ONNX Runtime says this of a shape that only running the graph can tell
        return
    dims = [int(each) for each in entry.get("reshape", {}).get("shape", entry["dims"])]
    if batched and isinstance(shape[0], int):
        raise ConfigError(
            f"max_batch_size is above 0, but {what} {entry['name']} has a first dimension of {shape[0]} in the graph. "
            f"Set max_batch_size to 0, or export the graph with a free batch dimension."
        )
    inner = shape[1:] if batched else shape
    fits = len(dims) == len(inner) and all(not isinstance(n, int) or n == d for n, d in zip(inner, dims, strict=True))
    if not fits:
        known = [each if isinstance(each, int) else -1 for each in inner]
        raise ConfigError(
            f"{what} {entry['name']} has dims {dims} in config.pbtxt and {known} in the graph. Make them agree."
        )
