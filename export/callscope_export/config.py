"""config.pbtxt, made of a model's signature and a profile."""

import json
from collections.abc import Mapping
from typing import Any

from .contract import Signature, Tensor
from .profile import Profile, Serving

CPU = "KIND_CPU"
LIVE, BATCH = 1, 2
"""Priority levels of requests: lower goes first, and a request that names none is a batch one."""
WARMUP_TOKENS = 4
WARMUP_LENGTH = 32
SHORT = 100
"""Messages of fewer characters stay on one line."""


class Word(str):
    """An enumeration's value, which is written without quotes."""

    __slots__ = ()


def render_config(
    signature: Signature, profile: Profile, *, version: int, parameters: Mapping[str, str], steps: tuple[Signature, ...]
) -> str:
    """Render a model's config.pbtxt.

    Args:
        signature: The model.
        profile: How it is served.
        version: The one version to serve. It is pinned, so that the file alone decides what is served.
        parameters: What the model says of itself.
        steps: The models of an ensemble in their order, none for a graph.
    """
    config: dict[str, Any] = {"name": signature.name}
    config |= {"platform": "ensemble"} if steps else {"backend": "onnxruntime"}
    config["max_batch_size"] = min(_batch_limit(model, profile) for model in steps or (signature,))
    config["version_policy"] = {"specific": {"versions": [version]}}
    config["input"] = [_tensor(tensor) for tensor in signature.inputs]
    config["output"] = [_tensor(tensor) for tensor in signature.outputs]
    if steps:
        config["ensemble_scheduling"] = {"step": [_step(step) for step in steps]}
    elif signature.batched:
        config |= _served(signature, profile)
        parameters = {**parameters, **_session(profile.models[signature.name].threads, profile.kind)}
    else:
        config["instance_group"] = [{"count": 1, "kind": Word(CPU)}]
        parameters = {**parameters, **_session(1, CPU)}
    config["parameters"] = [{"key": key, "value": {"string_value": value}} for key, value in parameters.items()]
    return to_text(config)


def to_text(message: Mapping[str, Any], indent: str = "") -> str:
    """Write a message in protobuf's text format."""
    return "".join(_field(name, value, indent) for name, value in message.items())


def _field(name: str, value: object, indent: str) -> str:
    if isinstance(value, dict):
        content = to_text(value, indent + "  ")
        short = " ".join(line.strip() for line in content.splitlines())
        return f"{indent}{name} {{ {short} }}\n" if len(short) < SHORT else f"{indent}{name} {{\n{content}{indent}}}\n"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "".join(_field(name, item, indent) for item in value)
    if isinstance(value, list):
        return f"{indent}{name}: [{', '.join(map(_scalar, value))}]\n"
    return f"{indent}{name}: {_scalar(value)}\n"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and not isinstance(value, Word):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "data_type": Word(f"TYPE_{tensor.dtype}"), "dims": list(tensor.dims)}


def _batch_limit(signature: Signature, profile: Profile) -> int:
    return profile.models[signature.name].max_batch_size if signature.batched else 0


def _step(model: Signature) -> dict[str, Any]:
    def same_names(tensors: tuple[Tensor, ...]) -> list[dict[str, Any]]:
        return [{"key": tensor.name, "value": tensor.name} for tensor in tensors]

    maps = {"input_map": same_names(model.inputs), "output_map": same_names(model.outputs)}
    return {"model_name": model.name, "model_version": -1, **maps}


def _served(signature: Signature, profile: Profile) -> dict[str, Any]:
    serving = profile.models[signature.name]
    group: dict[str, Any] = {"count": profile.instances, "kind": Word(profile.kind)}
    group |= {"gpus": list(profile.gpus)} if profile.gpus else {}
    served: dict[str, Any] = {"instance_group": [group], "dynamic_batching": _batching(profile, serving)}
    if serving.warmup_batches:
        served["model_warmup"] = [_warmup(signature, size) for size in serving.warmup_batches]
    return served | ({"response_cache": {"enable": True}} if serving.cache else {})


def _batching(profile: Profile, serving: Serving) -> dict[str, Any]:
    batching: dict[str, Any] = {"max_queue_delay_microseconds": round(serving.queue_delay_ms * 1e3)}
    if not serving.bounded:
        return batching
    policy = {
        "timeout_action": Word("REJECT"),
        "default_timeout_microseconds": round(profile.queue_timeout_s * 1e6),
        "allow_timeout_override": True,
        "max_queue_size": profile.max_queue_size,
    }
    priorities = {"priority_levels": BATCH, "default_priority_level": BATCH}
    return batching | priorities | {"default_queue_policy": policy}


def _warmup(signature: Signature, batch_size: int) -> dict[str, Any]:
    inputs = [{"key": tensor.name, "value": _warmup_input(tensor)} for tensor in signature.inputs]
    return {"name": f"batch_{batch_size}", "batch_size": batch_size, "inputs": inputs}


def _warmup_input(tensor: Tensor) -> dict[str, Any]:
    dims = [WARMUP_LENGTH if dim == -1 else dim for dim in tensor.dims]
    source = {"input_data_file": tensor.name} if tensor.name in warmup_files() else {"zero_data": True}
    return {"data_type": Word(f"TYPE_{tensor.dtype}"), "dims": dims, **source}


def warmup_files() -> dict[str, bytes]:
    """List the inputs that zeros would not warm up, with the content of their files: a decoder must take some steps."""
    return {"max_tokens": WARMUP_TOKENS.to_bytes(4, "little")}


def _session(threads: int, kind: str) -> dict[str, str]:
    """Options of ONNX Runtime; memory patterns, one for each shape, hold a CPU's memory twice and save nothing."""
    session = {"intra_op_thread_count": str(threads), "inter_op_thread_count": "1", "execution_mode": "0"}
    return session | ({"enable_mem_pattern": "0"} if kind == CPU else {})
