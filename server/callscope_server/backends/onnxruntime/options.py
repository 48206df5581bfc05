"""What a config.pbtxt asks of ONNX Runtime, read strictly: what cannot be honoured is an error at load.

The rule for `parameters`, where options and a model's own description share one map: a key of Triton's C++ onnxruntime
backend is an option, and is honoured or refused; a key that differs from one of those by a slip of the pen is refused;
every other key describes the model and is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

SESSION_ENTRIES = ("session.use_device_allocator_for_initializers",)
CUDA_OPTIONS: Mapping[str, Mapping[str, str] | None] = {
    "cudnn_conv_algo_search": {"0": "EXHAUSTIVE", "1": "HEURISTIC", "2": "DEFAULT"},
    "arena_extend_strategy": {"0": "kNextPowerOfTwo", "1": "kSameAsRequested"},
    "do_copy_in_default_stream": {"0": "0", "1": "1"},
    "gpu_mem_limit": None,
}
HONOURED = (
    "intra_op_thread_count",
    "inter_op_thread_count",
    "execution_mode",
    "enable_mem_arena",
    "enable_mem_pattern",
    *SESSION_ENTRIES,
    *CUDA_OPTIONS,
)
REFUSED = ("memory.enable_memory_arena_shrinkage", "share_session_between_instances", "EXECUTION_ENV_PATH")
GRAPH_LEVELS = {-1: "ORT_ENABLE_BASIC", 0: "ORT_ENABLE_ALL", 1: "ORT_ENABLE_EXTENDED", 2: "ORT_DISABLE_ALL"}
KINDS = ("CPU", "GPU")


class ConfigError(ValueError):
    """A config.pbtxt asks for something that does not exist, is not supported, or does not fit the graph."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to open one instance's session.

    Attributes:
        graph: the ONNX file.
        device_id: the GPU; None on a CPU.
        intra_op_threads: threads within an operator; 0 for as many as there are cores.
        inter_op_threads: threads across operators, when `parallel`.
        parallel: whether independent operators may run at the same time.
        graph_level: name of ONNX Runtime's GraphOptimizationLevel.
        mem_arena: whether the CPU's memory comes from an arena.
        mem_pattern: whether memory is laid out ahead for known shapes.
        session_entries: ONNX Runtime's own session configuration.
        cuda: options of the CUDA provider.
    """

    graph: Path
    device_id: int | None
    intra_op_threads: int
    inter_op_threads: int
    parallel: bool
    graph_level: str
    mem_arena: bool
    mem_pattern: bool
    session_entries: Mapping[str, str] = field(default_factory=dict)
    cuda: Mapping[str, str] = field(default_factory=dict)


def read_options(config: Mapping[str, Any], args: Mapping[str, str]) -> Options:
    """The options of one instance.

    Args:
        config: the model's configuration, as Triton gives it in JSON.
        args: what Triton gives a Python model at `initialize`.

    Raises:
        ConfigError: something is asked for that is not supported.
    """
    refuse_unsupported(config)
    parameters = {key: str(value.get("string_value", "")) for key, value in config.get("parameters", {}).items()}
    _refuse_parameters(parameters)
    kind = args["model_instance_kind"]
    if kind not in KINDS:
        raise ConfigError(f"instances of kind KIND_{kind} are not supported. Use KIND_CPU or KIND_GPU.")
    file = config.get("default_model_filename") or "model.onnx"
    return Options(
        graph=Path(args["model_repository"]) / args["model_version"] / file,
        device_id=int(args["model_instance_device_id"]) if kind == "GPU" else None,
        intra_op_threads=_integer(parameters, "intra_op_thread_count"),
        inter_op_threads=_integer(parameters, "inter_op_thread_count"),
        parallel=_boolean(parameters, "execution_mode", default=False),
        graph_level=_graph_level(config),
        mem_arena=_boolean(parameters, "enable_mem_arena", default=True),
        mem_pattern=_boolean(parameters, "enable_mem_pattern", default=True),
        session_entries={key: parameters[key] for key in SESSION_ENTRIES if key in parameters},
        cuda=_cuda(parameters, config),
    )


def refuse_unsupported(config: Mapping[str, Any]) -> None:
    """Raise for a section of the configuration whose work would be the backend's, and which this one does not do.

    Raises:
        ConfigError: naming the section.
    """
    optimization = config.get("optimization", {})
    sections = {
        "optimization.execution_accelerators": optimization.get("execution_accelerators"),
        "optimization.cuda": optimization.get("cuda"),
        "optimization.priority": optimization.get("priority", "PRIORITY_DEFAULT") != "PRIORITY_DEFAULT",
        "optimization.eager_batching": optimization.get("eager_batching"),
        "optimization.gather_kernel_buffer_threshold": int(optimization.get("gather_kernel_buffer_threshold", 0)),
        "sequence_batching.state": config.get("sequence_batching", {}).get("state"),
        "model_transaction_policy.decoupled": config.get("model_transaction_policy", {}).get("decoupled"),
        "model_operations": config.get("model_operations", {}).get("op_library_filename"),
        "cc_model_filenames": config.get("cc_model_filenames"),
        "batch_input": config.get("batch_input"),
        "batch_output": config.get("batch_output"),
        "instance_group.profile": any(group.get("profile") for group in config.get("instance_group", [])),
        "instance_group.secondary_devices": any(g.get("secondary_devices") for g in config.get("instance_group", [])),
        "instance_group.passive": any(group.get("passive") for group in config.get("instance_group", [])),
    }
    for name, asked in sections.items():
        if asked:
            raise ConfigError(f"{name} is not supported by this onnxruntime backend. Remove it from config.pbtxt.")


def _refuse_parameters(parameters: Mapping[str, str]) -> None:
    for key in parameters:
        if key in REFUSED or (key.startswith("session.") and key not in SESSION_ENTRIES):
            raise ConfigError(
                f"parameter {key} is not supported by this onnxruntime backend. Remove it from config.pbtxt."
            )
        close = get_close_matches(key, HONOURED, n=1, cutoff=0.85) if key not in HONOURED else []
        if close:
            raise ConfigError(f"parameter {key} is not an option, and {close[0]} is. Correct it in config.pbtxt.")


def _graph_level(config: Mapping[str, Any]) -> str:
    level = int(config.get("optimization", {}).get("graph", {}).get("level", 0))
    if level not in GRAPH_LEVELS:
        raise ConfigError(f"optimization.graph.level is {level}. Use -1 (basic), 1 (extended), 2 (none) or 0 (all).")
    return GRAPH_LEVELS[level]


def _integer(parameters: Mapping[str, str], key: str) -> int:
    value = parameters.get(key, "0")
    if not value.isdecimal():
        raise ConfigError(f"parameter {key} is {value!r}. Give a whole number, 0 or more, as string_value.")
    return int(value)


def _boolean(parameters: Mapping[str, str], key: str, *, default: bool) -> bool:
    value = parameters.get(key, str(int(default)))
    if value not in {"0", "1"}:
        raise ConfigError(f"parameter {key} is {value!r}. Give 0 or 1 as string_value.")
    return value == "1"


def _cuda(parameters: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, str]:
    asked = {key: parameters[key] for key in CUDA_OPTIONS if key in parameters}
    if asked and not any(group.get("kind") == "KIND_GPU" for group in config.get("instance_group", [])):
        raise ConfigError(
            f"parameter {min(asked)} is for a GPU, and no instance is on one. Remove it from config.pbtxt."
        )
    return {key: _cuda_value(key, value) for key, value in asked.items()}


def _cuda_value(key: str, value: str) -> str:
    names = CUDA_OPTIONS[key]
    if (names is None and not value.isdecimal()) or (names is not None and value not in names):
        raise ConfigError(
            f"parameter {key} is {value!r}. Give {'a number of bytes' if names is None else ', '.join(names)}."
        )
    return names[value] if names else value
