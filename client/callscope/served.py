"""What a running Triton serves, as it describes itself: for `callscope models`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tritonclient.grpc.aio import InferenceServerClient as GrpcClient
from tritonclient.http.aio import InferenceServerClient as HttpClient
from tritonclient.utils import InferenceServerException

from callscope.errors import RequestFailed
from callscope.triton.http import verification
from callscope.triton.transport import ServedModel, connect

NS_PER_MS = 1e6
READY = "READY"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """One version of one model in a server's repository.

    Attributes:
        state: READY, or what else and why.
        kind: the backend, or "ensemble"; like all that follows None where the server does not say.
        precision: fp32, fp16 or int8.
        source: the checkpoint it was made from.
        inferences: how many inputs it has worked on.
        executions: how many times it ran; fewer than `inferences` where requests were batched.
        mean_ms: mean time of a request, its wait included; None before the first.
    """

    name: str
    version: str
    state: str
    kind: str | None = None
    precision: str | None = None
    source: str | None = None
    inferences: int | None = None
    executions: int | None = None
    mean_ms: float | None = None


async def describe(url: str) -> tuple[ModelDescription, ...]:
    """Every model in the server's repository, ready or not, by name and version.

    Raises:
        ServerUnreachable: no Triton answers at `url`.
        RequestFailed: it answers, and not about its models.
    """
    transport = connect(url)
    try:
        index = await transport.models()
    finally:
        await transport.close()
    client, as_json = _client(url)
    try:
        described = await asyncio.gather(*(_describe(model, client, as_json) for model in index))
    except InferenceServerException as error:
        raise RequestFailed(url, "", error.message() or str(error)) from error
    finally:
        await client.close()
    return tuple(sorted(described, key=lambda model: (model.name, model.version)))


def _client(url: str) -> tuple[GrpcClient | HttpClient, dict[str, bool]]:
    """The library's client, and what makes its answers JSON values; over HTTP they are anyway."""
    parts = urlsplit(url)
    tls = parts.scheme.endswith("s")
    if parts.scheme.startswith("grpc"):
        return GrpcClient(parts.netloc, ssl=tls), {"as_json": True}
    return HttpClient(parts.netloc + parts.path.rstrip("/"), ssl=tls, ssl_context=verification(tls=tls)), {}


async def _describe(model: ServedModel, client: GrpcClient | HttpClient, as_json: dict[str, bool]) -> ModelDescription:
    if model.state != READY:
        return ModelDescription(model.name, model.version, f"{model.state or 'not loaded'} {model.reason}".strip())
    answer = await client.get_model_config(model.name, model.version, **as_json)
    statistics = await client.get_inference_statistics(model.name, model.version, **as_json)
    config: Json = answer.get("config", answer)
    counts: Json = statistics["model_stats"][0]
    return ModelDescription(
        name=model.name,
        version=model.version,
        state=READY,
        kind=config.get("backend") or config.get("platform") or None,
        precision=_parameter(config, "precision"),
        source=_parameter(config, "source"),
        inferences=int(counts.get("inference_count", 0)),
        executions=int(counts.get("execution_count", 0)),
        mean_ms=_mean_ms(counts),
    )


def _parameter(config: Json, name: str) -> str | None:
    value: str | None = config.get("parameters", {}).get(name, {}).get("string_value")
    return value


def _mean_ms(counts: Json) -> float | None:
    success = counts.get("inference_stats", {}).get("success", {})
    requests = int(success.get("count", 0))
    return int(success.get("ns", 0)) / requests / NS_PER_MS if requests else None
