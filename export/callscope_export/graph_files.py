"""A graph as files: model.onnx, and beside it the weights where they are too large for one file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .graph import Array, Graph
from .onnx_file import file_parts
from .progress import Progress, silent

GRAPH = "model.onnx"
EXTERNAL = "model.onnx.data"
MANIFEST = "manifest.json"
LARGEST_FILE_BYTES = 10_000_000
"""A larger graph's weights go into a file of their own. It is mapped, not read and copied, and what ONNX Runtime does
not rearrange stays there, once for all instances; and protobuf ends at 2 GiB."""
INSIDE_BYTES = 1024
"""Smaller arrays stay in model.onnx all the same: shapes and axes are read before any weight is."""
PAGE_BYTES = 4096
"""Where an array in the file of weights may begin, so that it can be mapped instead of read."""
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WrittenGraph:
    """The files of a graph.

    Attributes:
        sha256: The digest of all of them, one after another.
        size_bytes: Their size together.
    """

    sha256: str
    size_bytes: int


def write_graph(graph: Graph, folder: Path, progress: Progress = silent) -> WrittenGraph:
    """Write a graph, check it, and write the manifest of its files.

    Args:
        graph: The graph.
        folder: Where to; it must exist.
        progress: Is told how many bytes are written.

    Raises:
        OSError: The folder cannot be written.
    """
    name = graph.bare.graph.name
    if graph.size_bytes > LARGEST_FILE_BYTES:
        _write_apart(graph, folder, progress)
    else:
        progress(f"Writing {name}")
        _write_whole(graph, folder)
    del graph  # the checker holds the weights of a single file once more
    progress(f"Checking {name}")
    onnx.checker.check_model(folder / GRAPH)
    digests = {path.name: (path.stat().st_size, _sha256([path])) for path in _files(folder)}
    manifest = {name: {"bytes": size, "sha256": sha256} for name, (size, sha256) in digests.items()}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return WrittenGraph(graph_digest(folder), sum(size for size, _ in digests.values()))


def graph_digest(folder: Path) -> str:
    """Hash a graph, and its weights where they have a file of their own; empty where there is none."""
    files = _files(folder)
    return _sha256(files) if files else ""


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / GRAPH, folder / EXTERNAL) if path.is_file()]


def _write_whole(graph: Graph, folder: Path) -> None:
    with (folder / GRAPH).open("wb") as stream:
        for part in file_parts(graph):
            stream.write(part)


def _write_apart(graph: Graph, folder: Path, progress: Progress) -> None:
    """Write the weights straight from their arrays, and a model that points to them."""
    model = onnx.ModelProto()
    model.CopyFrom(graph.bare)
    name, total = graph.bare.graph.name, graph.size_bytes
    with (folder / EXTERNAL).open("wb") as stream:
        for weight, array in graph.weights.items():
            if array.nbytes < INSIDE_BYTES:
                model.graph.initializer.append(numpy_helper.from_array(array, weight))
                continue
            offset = stream.seek(-(-stream.tell() // PAGE_BYTES) * PAGE_BYTES)
            stream.write(array.reshape(-1).view(np.uint8).data)
            model.graph.initializer.append(_pointer(weight, array, offset))
            progress(f"Writing {name}: {stream.tell() / 1e9:.1f} of {total / 1e9:.1f} GB")
    (folder / GRAPH).write_bytes(model.SerializeToString())


def _pointer(name: str, array: Array, offset: int) -> TensorProto:
    data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = TensorProto(name=name, data_type=data_type, dims=array.shape, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": EXTERNAL, "offset": offset, "length": array.nbytes}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def _sha256(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
