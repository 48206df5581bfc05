"""What in a repository's configs will cost speed or safety when it is served, told from its files alone.

The rules are those of Triton's own guides (user_guide/batcher.md, optimization.md, onnxruntime_backend) and of what has
gone wrong for others; a repository that breaks one still serves.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format  # type: ignore[import-untyped]  # it ships no types

from callscope_server.findings import Finding

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tritonclient.grpc import model_config_pb2

KIND_CPU = model_config_pb2.ModelInstanceGroup.KIND_CPU
KIND_GPU = model_config_pb2.ModelInstanceGroup.KIND_GPU
DEFAULT_CPU_INSTANCES = 2
"""What Triton gives a model without an instance_group on a machine without a GPU."""
DYNAMIC_INT8 = (b"DynamicQuantizeLinear", b"MatMulIntegerToFloat")
"""Operators with no CUDA kernel: their part of a graph runs on the CPU (microsoft/onnxruntime#10267)."""
CPU_FACTS = Path("/proc/cpuinfo")
VNNI = {"avx_vnni", "avx512_vnni"}
"""What x86 processors multiply 8-bit numbers with and lose nothing, as /proc/cpuinfo names it."""
IGNORED_INSIDE_ACCELERATORS = (
    "cudnn_conv_algo_search",
    "gpu_mem_limit",
    "arena_extend_strategy",
    "do_copy_in_default_stream",
)
"""Options that the C++ backend reads from `parameters` and nowhere else (triton-inference-server/server#8808)."""

SHORT = ("log_mel", "punctuate", "sentiment")
"""Models whose queue is to have no policy; an overload shows in the recogniser's."""

Config = Any
Advice = tuple[str, str]
"""What will hurt, a clause, and what to do about it, a sentence."""


def advise(repository: Path, cores: int | None = None, cpu_facts: Path = CPU_FACTS) -> list[Finding]:
    """One finding for each model that something could be said about; none for one whose config cannot be read.

    Args:
        repository: Triton's model repository.
        cores: of the machine that serves it; this one's where None.
        cpu_facts: what Linux tells of that machine's processors.
    """
    configs = dict(_configs(repository))
    available = cores or os.cpu_count() or 1
    found: list[Finding] = []
    for name, config in configs.items():
        advice = list(_ensemble(config, configs) if config.ensemble_scheduling.step else _model(config, available))
        if not config.ensemble_scheduling.step and _on_gpu(config) and _has_dynamic_int8(repository / name):
            advice.append((
                "has dynamically quantised operators on a GPU, which run on the CPU",
                "Export it with the profile gpu, in fp16.",
            ))  # fmt: skip
        found += [Finding(name, True, clause, remedy) for clause, remedy in advice]
    return found + _saturation(configs, cpu_facts)


def _configs(repository: Path) -> Iterator[tuple[str, Config]]:
    for path in sorted(repository.glob("*/config.pbtxt")):
        config = model_config_pb2.ModelConfig()
        try:
            text_format.Parse(path.read_text(encoding="utf-8"), config)
        except (OSError, UnicodeDecodeError, text_format.ParseError):
            continue
        yield path.parent.name, config


def _model(config: Config, cores: int) -> Iterator[Advice]:
    yield from _batching(config)
    yield from _threads(config, cores)
    for accelerator in config.optimization.execution_accelerators.gpu_execution_accelerator:
        for name in sorted(set(accelerator.parameters) & set(IGNORED_INSIDE_ACCELERATORS)):
            yield (
                f"sets {name} inside execution_accelerators, where it is ignored",
                "Set it under parameters.",
            )


def _batching(config: Config) -> Iterator[Advice]:
    if config.max_batch_size < 1:
        return
    if not config.HasField("dynamic_batching"):
        yield "takes batches and never makes one of several requests", "Add dynamic_batching {}."
        return
    batching = config.dynamic_batching
    if batching.preferred_batch_size:
        yield (
            "has a preferred_batch_size, which makes a batch of another size wait for nothing",
            "Remove it, and measure a max_queue_delay_microseconds instead.",
        )
    short = config.name in SHORT
    if not batching.default_queue_policy.max_queue_size and not short:
        yield (
            "has a queue without end, so that an overload shows only in its latency",
            "Set max_queue_size in default_queue_policy.",
        )
    if (batching.HasField("default_queue_policy") or batching.priority_levels) and short:
        yield (
            "runs for milliseconds and has priorities or a queue policy, with which Triton lets some requests wait for "
            "half a second",
            "Remove both, or export it again.",
        )
    if not config.model_warmup and not _on_cpu(config):
        yield "is not warmed up, so that its first requests are slow", "Add model_warmup for the batch sizes in use."


def _on_cpu(config: Config) -> bool:
    """Whether all instances are told to be on the CPU, where a first run takes about as long as the next."""
    return bool(config.instance_group) and all(group.kind == KIND_CPU for group in config.instance_group)


def _threads(config: Config, cores: int) -> Iterator[Advice]:
    groups = config.instance_group
    if not groups:
        yield (
            f"has no instance_group, and Triton makes {DEFAULT_CPU_INSTANCES} instances of it on a CPU",
            "Set instance_group.",
        )
    counts = [max(1, group.count) for group in groups if group.kind == KIND_CPU]
    count = sum(counts) if groups else DEFAULT_CPU_INSTANCES
    if not count:
        return
    threads = config.parameters["intra_op_thread_count"].string_value or "0"
    if threads == "0" and count > 1:
        yield (
            f"has {count} instances with a thread on every core each",
            "Set the parameter intra_op_thread_count.",
        )
    elif threads.isdecimal() and int(threads) * count > cores:
        yield (
            f"wants {count} x {threads} threads of {cores} cores",
            "Lower instance_group.count or intra_op_thread_count until their product is at most that.",
        )


def _ensemble(config: Config, configs: Mapping[str, Config]) -> Iterator[Advice]:
    for step in config.ensemble_scheduling.step:
        part = configs.get(step.model_name)
        if part is None:
            yield f"needs {step.model_name}, which is not there", f"Export {step.model_name}, or remove the ensemble."
        elif config.max_batch_size and not part.ensemble_scheduling.step and not part.HasField("dynamic_batching"):
            yield (
                f"takes batches, and its part {step.model_name} makes none of several requests",
                f"Add dynamic_batching {{}} to {step.model_name}.",
            )


def _saturation(configs: Mapping[str, Config], cpu_facts: Path) -> list[Finding]:
    """One finding for all models in 8 bits together, where the processor has no exact arithmetic for them."""
    names = [name for name, config in configs.items() if _is_int8_graph(config)]
    flags = _flags(cpu_facts)
    if not names or not flags or flags & VNNI:
        return []
    detail = f"{len(names)} models are int8, and this processor has no VNNI: its sums of 8-bit products can overflow"
    return [Finding("int8", True, detail, "Compare what they write with fp32, and export with --precision fp32.")]


def _is_int8_graph(config: Config) -> bool:
    named = "precision" in config.parameters and config.parameters["precision"].string_value == "int8"
    return named and not config.ensemble_scheduling.step and not _on_gpu(config)


def _flags(cpu_facts: Path) -> set[str]:
    """What an x86 processor can do; nothing where it cannot be told, or is another kind."""
    try:
        lines = cpu_facts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.partition(":")[2].split()}


def _on_gpu(config: Config) -> bool:
    return any(group.kind == KIND_GPU for group in config.instance_group)


def _has_dynamic_int8(model: Path) -> bool:
    return any(_contains(graph, name) for name in DYNAMIC_INT8 for graph in model.glob("*/model.onnx"))


def _contains(file: Path, wanted: bytes) -> bool:
    """Whether a file has some bytes, an operator's name in a graph being one run of them."""
    kept = b""
    with file.open("rb") as stream:
        while block := stream.read(1 << 22):
            if wanted in kept + block:
                return True
            kept = block[-len(wanted) :]
    return False
