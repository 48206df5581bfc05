"""A profile for `callscope export`, made of a repository's configs and a choice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tritonclient.grpc import model_config_pb2

from callscope.tuning.variant import CONFIG, STAGES, THREADED, THREADS, US_PER_MS, Choice, read_config

BATCHED = (*STAGES, "punctuate", "sentiment")
US_PER_S = 1_000_000


def render_profile(repository: Path, choice: Choice, machine: str) -> str:
    """The text of a profile: the repository's own settings, and the choice where it says otherwise.

    Args:
        repository: what it is made of.
        choice: for the recogniser's models.
        machine: what it was measured on, in words.

    Raises:
        SettingsInvalid: the repository holds no recogniser that this program has exported.
    """
    decoder = read_config(repository, "whisper_decoder")
    policy = decoder.dynamic_batching.default_queue_policy
    head = {
        "precision": f'"{decoder.parameters["precision"].string_value}"',
        "kind": f'"{_kind(decoder)}"',
        "instances": str(choice.instances),
        "max_queue_size": str(policy.max_queue_size),
        "queue_timeout_s": f"{policy.default_timeout_microseconds / US_PER_S:g}",
    }
    lines = [f"# Measured by `callscope tune` on {machine}. `callscope export … --profile` takes it."]
    lines += [f"{name} = {value}" for name, value in head.items()]
    for name in BATCHED:
        if (repository / name / CONFIG).is_file():
            lines += ["", f"[models.{name}]", *_serving(read_config(repository, name), choice)]
    return "\n".join(lines) + "\n"


def _serving(config: Any, choice: Choice) -> Iterator[str]:  # noqa: ANN401  protobuf's class has no types
    chosen = config.name in STAGES
    delay_us = config.dynamic_batching.max_queue_delay_microseconds
    yield f"max_batch_size = {choice.max_batch_size if chosen else config.max_batch_size}"
    yield f"queue_delay_ms = {choice.queue_delay_ms if chosen else delay_us / US_PER_MS:g}"
    own = int(config.parameters[THREADS].string_value or 1)
    yield f"threads = {choice.threads if config.name in THREADED else own}"
    if config.model_warmup:
        yield f"warmup_batches = {[warmup.batch_size for warmup in config.model_warmup]}"
    if not config.dynamic_batching.HasField("default_queue_policy"):
        yield "bounded = false"
    if config.response_cache.enable:
        yield "cache = true"


def _kind(config: Any) -> str:  # noqa: ANN401  as above
    return str(model_config_pb2.ModelInstanceGroup.Kind.Name(config.instance_group[0].kind))
