"""Triton's `onnxruntime` backend in Python, for a server that has no C++ backend of that name.

Triton runs this file in its Python stub, one process for each instance. Requests that Triton's scheduler put into one
batch are concatenated, run once, and split again.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]  # Triton's stub brings it

if TYPE_CHECKING:  # Triton runs these files as top-level modules
    from callscope_server.backends.onnxruntime.options import ConfigError, Options, read_options
    from callscope_server.backends.onnxruntime.signature import check_signature
else:
    from options import ConfigError, Options, read_options
    from signature import check_signature

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
Feeds = dict[str, np.ndarray[Any, Any]]


class TritonPythonModel:
    """One instance of one model; Triton calls the methods."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Open the graph.

        Args:
            args: Triton's description of the model and the instance.

        Raises:
            ConfigError: the graph cannot be opened, or is not what config.pbtxt says.
        """
        config = json.loads(args["model_config"])
        began = time.perf_counter()
        self._session = open_session(read_options(config, args))
        _give_back()
        pb_utils.Logger.log_info(f"{config['name']}: graph opened in {time.perf_counter() - began:.3f} s")
        optional = [node.name for node in self._session.get_overridable_initializers()]
        inputs = [*self._session.get_inputs(), *self._session.get_overridable_initializers()]
        check_signature(config, inputs, self._session.get_outputs(), optional)
        self._input_names = [entry["name"] for entry in config["input"]]
        self._batched = config["max_batch_size"] > 0

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer a batch of requests, one response each, in order; a request that fails leaves the others whole."""
        feeds = [self._read(request) for request in requests]
        responses: dict[int, Any] = {}
        for group in self._groups(feeds):
            responses |= self._run(group, requests, feeds)
        return [responses[position] for position in range(len(requests))]

    def _read(self, request: Any) -> Feeds:  # noqa: ANN401 (Triton's own types are untyped)
        tensors = {name: pb_utils.get_input_tensor_by_name(request, name) for name in self._input_names}
        return {name: tensor.as_numpy() for name, tensor in tensors.items() if tensor is not None}

    def _groups(self, feeds: Sequence[Feeds]) -> list[list[int]]:
        """Positions of the requests that can be run as one: all of the same shapes, but for the number of rows."""
        groups: dict[object, list[int]] = {}
        for position, feed in enumerate(feeds):
            shapes = tuple((name, array.shape[1:]) for name, array in feed.items())
            groups.setdefault(shapes if self._batched else position, []).append(position)
        return list(groups.values())

    def _run(self, group: list[int], requests: Sequence[Any], feeds: Sequence[Feeds]) -> dict[int, Any]:
        wanted = sorted({name for position in group for name in requests[position].requested_output_names()})
        try:
            results = self._infer([feeds[position] for position in group], wanted)
        except Exception as error:
            if len(group) == 1:
                return {group[0]: pb_utils.InferenceResponse(error=pb_utils.TritonError(_reason(error)))}
            return {p: response for each in group for p, response in self._run([each], requests, feeds).items()}
        return {position: _respond(requests[position], result) for position, result in zip(group, results, strict=True)}

    def _infer(self, feeds: Sequence[Feeds], wanted: Sequence[str]) -> list[Feeds]:
        if len(feeds) == 1:
            return [dict(zip(wanted, self._session.run(wanted, feeds[0]), strict=True))]
        rows = [next(iter(feed.values())).shape[0] for feed in feeds]
        batch = {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}
        outputs = dict(zip(wanted, self._session.run(wanted, batch), strict=True))
        for name, output in outputs.items():
            if output.shape[:1] != (sum(rows),):
                raise ValueError(f"output {name} has shape {output.shape} for a batch of {sum(rows)} rows.")
        ends = np.cumsum(rows)[:-1]
        split = {name: np.split(output, ends) for name, output in outputs.items()}
        return [{name: parts[index] for name, parts in split.items()} for index in range(len(feeds))]


def open_session(options: Options) -> ort.InferenceSession:
    """Open a graph on the device the instance was given, and nowhere else.

    Raises:
        ConfigError: there is no such file, it is no ONNX graph, or the GPU cannot be used.
    """
    if not options.graph.is_file():
        raise ConfigError(
            f"there is no graph at {options.graph}. Export the model again, or correct default_model_filename."
        )
    providers = _providers(options)
    try:
        session = ort.InferenceSession(str(options.graph), _session_options(options), providers=providers)
    except Exception as error:
        raise ConfigError(
            f"ONNX Runtime cannot open {options.graph}: {_reason(error)}. Export the model again, or restore the file."
        ) from error
    if options.device_id is not None and CUDA not in session.get_providers():
        raise ConfigError(_no_cuda(f"the CUDA provider did not start on GPU {options.device_id}"))
    return session


def _give_back() -> None:
    """Return memory that only opening the graph took; glibc would keep it, for each instance as much as its weights."""
    with contextlib.suppress(AttributeError, OSError):  # another C library knows no such thing
        ctypes.CDLL(None).malloc_trim(0)


def _providers(options: Options) -> list[str | tuple[str, dict[str, str]]]:
    if options.device_id is None:
        return [CPU]
    if CUDA not in ort.get_available_providers():
        raise ConfigError(_no_cuda("this ONNX Runtime has no CUDA provider"))
    ort.preload_dlls()
    return [(CUDA, {"device_id": str(options.device_id), **options.cuda}), CPU]


def _no_cuda(what: str) -> str:
    return (
        f"an instance is of kind KIND_GPU, but {what}. Install onnxruntime-gpu "
        f"with its CUDA libraries in place of onnxruntime in the server's environment, or set KIND_CPU."
    )


def _session_options(options: Options) -> ort.SessionOptions:
    result = ort.SessionOptions()
    result.intra_op_num_threads = options.intra_op_threads
    result.inter_op_num_threads = options.inter_op_threads
    result.execution_mode = ort.ExecutionMode.ORT_PARALLEL if options.parallel else ort.ExecutionMode.ORT_SEQUENTIAL
    result.graph_optimization_level = getattr(ort.GraphOptimizationLevel, options.graph_level)
    result.enable_cpu_mem_arena = options.mem_arena
    result.enable_mem_pattern = options.mem_pattern
    # Idle threads that wait in a loop for work take the cores from the other models' processes.
    result.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for key, value in options.session_entries.items():
        result.add_session_config_entry(key, value)
    return result


def _reason(error: Exception) -> str:
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error)).rstrip(".\n")


def _respond(request: Any, outputs: Feeds) -> Any:  # noqa: ANN401 (Triton's own types are untyped)
    tensors = [pb_utils.Tensor(name, np.ascontiguousarray(outputs[name])) for name in request.requested_output_names()]
    return pb_utils.InferenceResponse(output_tensors=tensors)
