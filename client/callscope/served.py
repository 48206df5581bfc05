"""What running Tritons serve, as they describe themselves: for `callscope models`."""

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
from callscope.settings import Settings
from callscope.triton.tls import Tls
from callscope.triton.transport import ServedModel, addresses, connect

NS_PER_MS = 1e6
READY = "READY"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """One version of one model in a server's repository.

    Attributes:
        server: the server's address.
        state: READY, or what else and why.
        kind: the backend, or "ensemble"; like all that follows None where the server does not say.
        precision: fp32, fp16 or int8.
        source: the checkpoint it was made from.
        inferences: how many inputs it has worked on.
        executions: how many times it ran; fewer than `inferences` where requests were batched.
        mean_ms: mean time of a request, its wait included; None before the first.
    """

    server: str
    name: str
    version: str
    state: str
    kind: str | None = None
    precision: str | None = None
    source: str | None = None
    inferences: int | None = None
    executions: int | None = None
    mean_ms: float | None = None


async def describe(servers: str, settings: Settings) -> tuple[ModelDescription, ...]:
    """Every model in each server's repository, ready or not, by server, name and version.

    Args:
        servers: an address, or several with commas.
        settings: of these the request timeout, TLS files and headers.

    Raises:
        ServerUnreachable: no Triton answers at one of them.
        RequestFailed: it answers, and not about its models.
        SettingsInvalid: a file of TLS cannot be used.
    """
    found = await asyncio.gather(*(_of_server(url, settings) for url in addresses(servers)))
    return tuple(model for models in found for model in models)


async def _of_server(url: str, settings: Settings) -> list[ModelDescription]:
    tls = Tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
    transport = connect(url, timeout_s=settings.timeout_s, headers=settings.header_fields(), tls=tls)
    try:
        index = await transport.models()
    finally:
        await transport.close()
    client, options = _client(url, tls, settings.header_fields())
    try:
        described = await asyncio.gather(*(_describe(url, model, client, options) for model in index))
    except InferenceServerException as error:
        raise RequestFailed(url, "", error.message() or str(error)) from error
    finally:
        await client.close()
    return sorted(described, key=lambda model: (model.name, model.version))


def _client(url: str, tls: Tls, headers: Mapping[str, str]) -> tuple[GrpcClient | HttpClient, dict[str, Any]]:
    """The library's client, and what each of its questions takes; answers are JSON values, over gRPC when asked for."""
    parts = urlsplit(url)
    secure = parts.scheme.endswith("s")
    if parts.scheme.startswith("grpc"):
        files = {"root_certificates": tls.ca, "private_key": tls.key, "certificate_chain": tls.cert}
        small = {name.lower(): value for name, value in headers.items()}
        return GrpcClient(parts.netloc, ssl=secure, **files), {"as_json": True, "headers": small}
    context = tls.context() if secure else True
    return HttpClient(parts.netloc + parts.path.rstrip("/"), ssl=secure, ssl_context=context), {"headers": headers}


async def _describe(
    url: str, model: ServedModel, client: GrpcClient | HttpClient, options: Mapping[str, Any]
) -> ModelDescription:
    if model.state != READY:
        return ModelDescription(url, model.name, model.version, f"{model.state or 'not loaded'} {model.reason}".strip())
    answer = await client.get_model_config(model.name, model.version, **options)
    statistics = await client.get_inference_statistics(model.name, model.version, **options)
    config: Json = answer.get("config", answer)
    counts: Json = statistics["model_stats"][0]
    return ModelDescription(
        server=url,
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
