"""What the files of a model repository say, read without the exporter that wrote them."""

import warnings
from pathlib import Path
from typing import Any

from google.protobuf import text_format

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tritonclient.grpc import model_config_pb2

ONNX_TYPES = {"tensor(float)": "FP32", "tensor(float16)": "FP16", "tensor(int16)": "INT16", "tensor(int32)": "INT32"}
ONNX_TYPES |= {"tensor(int64)": "INT64", "tensor(uint8)": "UINT8", "tensor(bool)": "BOOL"}


def read_config(folder: Path, model: str) -> Any:
    """Parse config.pbtxt with the protobuf definition that Triton's own client ships."""
    return text_format.Parse((folder / model / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())


def parameters(config: Any) -> dict[str, str]:
    return {key: value.string_value for key, value in config.parameters.items()}


def config_tensors(tensors: Any) -> list[tuple[str, str, list[int]]]:
    name_of = model_config_pb2.DataType.Name
    return [(tensor.name, name_of(tensor.data_type).removeprefix("TYPE_"), list(tensor.dims)) for tensor in tensors]


def graph_tensors(tensors: Any, *, batched: bool) -> list[tuple[str, str, list[int]]]:
    found = []
    for tensor in tensors:
        shape = [-1 if isinstance(dim, str) else dim for dim in tensor.shape]
        assert not batched or shape[0] == -1
        found.append((tensor.name, ONNX_TYPES[tensor.type], shape[1:] if batched else shape))
    return found
