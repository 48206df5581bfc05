"""Triton over gRPC."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from callscope.errors import AccessDenied, RequestFailed, ServerBusy, ServerTimeout, ServerUnreachable, TritonError
from callscope.telemetry.requests import watched_request
from callscope.triton.answers import MAX_ANSWER_BYTES, reading, tensors
from callscope.triton.deadline import within_s
from callscope.triton.faults import is_fault
from callscope.triton.statistics import ModelStatistics, statistics_of
from callscope.triton.tls import Tls
from callscope.triton.transport import (
    DEFAULT_TIMEOUT_S,
    DIAGNOSIS_TIMEOUT_S,
    ServedModel,
    Tensors,
    model_missing,
    newest,
)

Answer = TypeVar("Answer")

MAX_REQUEST_BYTES = 2**31 - 1
US_PER_S = 1_000_000
CHANNEL_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # the state of one transport's connection is not another's
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),  # gRPC's own two minutes would keep a server away that is back
    ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
]
NOT_TRITON = {"UNAVAILABLE", "UNIMPLEMENTED"}
"""Statuses that come where nobody speaks gRPC, or speaks it without Triton's methods."""
LOST = ("RST_STREAM", "GOAWAY", "Socket closed", "Connection reset")
"""In messages of gRPC itself under statuses that are Triton's otherwise."""
UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "Peer name", "SSL_ERROR")
RESTRICTED = "is restricted, expecting header"
"""What Triton says, under UNAVAILABLE, to whoever has no key."""
REFUSED = {"PERMISSION_DENIED", "UNAUTHENTICATED"}
"""What gateways say."""
QUEUE_FULL = "maximum queue size"
QUEUED_TOO_LONG = "timeout expired"
"""What Triton says of requests that it never began: the queue was full, or they waited past their own deadline."""


class GrpcTransport:
    """Triton over gRPC, with asyncio.

    Args:
        address: HOST:PORT.
        tls: to speak TLS, whom to trust and who one is.
        timeout_s: the deadline of a request that names none.
        headers: metadata sent with every request.
    """

    def __init__(
        self,
        address: str,
        *,
        tls: Tls | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = f"{'grpcs' if tls else 'grpc'}://{address}"
        self._address, self._tls, self._timeout_s = address, tls, timeout_s
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._opened: InferenceServerClient | None = None

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Sequence[str] | None = None,
        timeout_s: float | None = None,
        priority: int = 0,
    ) -> dict[str, NDArray[Any]]:
        """Run a model once: `Transport.infer`."""
        limit_s = within_s(self._timeout_s if timeout_s is None else timeout_s)
        with watched_request(self.url, model) as tracing:
            request = self._client().infer(
                model,
                [_input(name, tensor) for name, tensor in inputs.items()],
                outputs=None if outputs is None else [InferRequestedOutput(name) for name in outputs],
                priority=priority,
                timeout=round(limit_s * US_PER_S),
                client_timeout=limit_s,
                headers=self._headers | tracing,
            )
            result = await self._answer(request, model, limit_s)
        response = result.get_response()
        return tensors(self.url, model, lambda: [each.name for each in response.outputs], result.as_numpy, outputs)

    async def parameters(self, model: str) -> dict[str, str]:
        """The `parameters` of a model's config.pbtxt."""
        limit_s = within_s(self._timeout_s)
        request = self._client().get_model_config(model, client_timeout=limit_s, headers=self._headers)
        answer = await self._answer(request, model, limit_s)
        with reading(self.url):
            return {name: value.string_value for name, value in answer.config.parameters.items()}

    async def version(self, model: str) -> str:
        """The version of a model that answers its requests."""
        limit_s = within_s(self._timeout_s)
        request = self._client().get_model_metadata(model, client_timeout=limit_s, headers=self._headers)
        answer = await self._answer(request, model, limit_s)
        with reading(self.url):
            return newest(answer.versions)

    async def models(self) -> tuple[ServedModel, ...]:
        """What the server's repository holds, ready or not."""
        limit_s = within_s(DIAGNOSIS_TIMEOUT_S)
        request = self._client().get_model_repository_index(headers=self._headers, client_timeout=limit_s)
        index = await self._answer(request, "", limit_s)
        with reading(self.url):
            return tuple(ServedModel(line.name, line.version, line.state, line.reason) for line in index.models)

    async def statistics(self) -> dict[str, ModelStatistics]:
        """What each model has done since the server began: `Wire.statistics`."""
        limit_s = within_s(self._timeout_s)
        request = self._client().get_inference_statistics(as_json=True, headers=self._headers, client_timeout=limit_s)
        answer = await self._answer(request, "", limit_s)
        with reading(self.url):
            return statistics_of(answer.get("model_stats", ()))

    async def is_ready(self, timeout_s: float) -> bool:
        """Whether the server is there and every model of it is ready."""
        try:
            return bool(await self._client().is_server_ready(headers=self._headers, client_timeout=timeout_s))
        except InferenceServerException:
            return False

    async def close(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _client(self) -> InferenceServerClient:
        # Made on first use: gRPC binds a channel to the event loop that runs at that moment.
        if self._opened is None:
            files = self._tls or Tls()
            self._opened = InferenceServerClient(
                self._address,
                ssl=self._tls is not None,
                root_certificates=files.ca,
                private_key=files.key,
                certificate_chain=files.cert,
                channel_args=CHANNEL_OPTIONS,
            )
        return self._opened

    async def _answer(self, request: Awaitable[Answer], model: str, limit_s: float) -> Answer:
        """What was answered; None where that is no message of the kind, which gRPC logs itself."""
        try:
            return await request
        except InferenceServerException as error:
            status, message = str(error.status()).removeprefix("StatusCode."), error.message() or "no details"
        raise await self._failure(status, message, model, limit_s)

    async def _failure(self, status: str, message: str, model: str, limit_s: float) -> TritonError:
        if model and (status == "NOT_FOUND" or "unknown model" in message):
            return await model_missing(self, model, message)
        if RESTRICTED in message or status in REFUSED:
            return AccessDenied(self.url, message)
        if status == "DEADLINE_EXCEEDED" or (status == "UNAVAILABLE" and QUEUED_TOO_LONG in message):
            return ServerTimeout(self.url, model, limit_s)
        if status == "UNAVAILABLE" and (QUEUE_FULL in message or await self._is_live()):
            return ServerBusy(self.url, model, message)
        lost = status == "CANCELLED" or any(sign in message for sign in LOST)
        if lost or status in NOT_TRITON:
            trusted = not any(sign in message for sign in UNTRUSTED)
            return ServerUnreachable(self.url, message, passing=lost or (status == "UNAVAILABLE" and trusted))
        return RequestFailed(self.url, model, message, passing=is_fault(message))

    async def _is_live(self) -> bool:
        """Whether the server answers at all: gRPC says UNAVAILABLE of one that refuses and of one that is not there."""
        try:
            return bool(await self._client().is_server_live(headers=self._headers, client_timeout=DIAGNOSIS_TIMEOUT_S))
        except InferenceServerException:
            return False


def _input(name: str, tensor: NDArray[Any]) -> InferInput:
    described = InferInput(name, list(tensor.shape), np_to_triton_dtype(tensor.dtype))
    return described.set_data_from_numpy(tensor)
