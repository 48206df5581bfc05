"""Triton over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar

import aiohttp
from numpy.typing import NDArray
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from callscope.errors import AccessDenied, RequestFailed, ServerBusy, ServerTimeout, ServerUnreachable, TritonError
from callscope.telemetry.requests import watched_request
from callscope.triton.answers import MALFORMED, MAX_ANSWER_BYTES, NOT_TRITON, reading, tensors
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
Headers = Mapping[str, str] | None

NO_TIMEOUT_S = 0.0
"""For aiohttp, which would end every request after a minute: the deadlines are ours."""
ANY_NUMBER_OF_CONNECTIONS = 0
PLAIN = {"Accept-Encoding": "identity"}
"""Without it aiohttp asks for packed answers, and Triton takes the trouble; packed, one could be of any size."""
US_PER_S = 1_000_000
REFUSED = ("401", "403")
"""What Triton says to whoever has no key, and gateways say."""
PASSING_PAGES = ("502", "504")
"""What gateways answer while the server behind them is away; 503 is a full queue's too."""
QUEUED_TOO_LONG = "timeout expired"


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response as the library reads it, whose body is here already."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    async def read(self) -> bytes:
        """The body."""
        return self.body


async def _whole(response: aiohttp.ClientResponse) -> _Answer:
    """Read a response of bounded size; the library would take what comes until memory is full.

    Raises:
        aiohttp.ClientPayloadError: it is larger than any answer of Triton, or packed without being asked for.
    """
    body = bytearray()
    async with response:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            response.close()
            raise aiohttp.ClientPayloadError("the answer is compressed, which nobody asked for")
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                response.close()
                raise aiohttp.ClientPayloadError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    return _Answer(response.status, response.headers, bytes(body))


class _Client(InferenceServerClient):  # type: ignore[misc]  # the library has no types
    """Hands large bodies over as a stream, which aiohttp sends piece by piece without holding up the event loop."""

    async def _get(self, request_uri: str, headers: Headers, query_params: Headers) -> _Answer:
        return await _whole(await super()._get(request_uri, headers, query_params))

    async def _post(
        self, request_uri: str, request_body: str | bytes, headers: Headers, query_params: Headers
    ) -> _Answer:
        body = BytesIO(request_body) if isinstance(request_body, bytes) else request_body
        return await _whole(await super()._post(request_uri, body, headers, query_params))


class HttpTransport:
    """Triton over HTTP, with asyncio.

    Args:
        address: HOST:PORT, with a path where a gateway asks for one.
        tls: to speak TLS, whom to trust and who one is.
        timeout_s: the deadline of a request that names none.
        headers: sent with every request.
    """

    def __init__(
        self,
        address: str,
        *,
        tls: Tls | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = f"{'https' if tls else 'http'}://{address}"
        self._address, self._tls, self._timeout_s = address, tls, timeout_s
        self._headers = PLAIN | dict(headers or {})
        self._opened: _Client | None = None

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
                headers=self._headers | tracing,  # the library writes into it
            )
            result = await self._answer(request, model, limit_s)

        def names() -> list[str]:
            return [output["name"] for output in result.get_response()["outputs"]]

        return tensors(self.url, model, names, result.as_numpy, outputs)

    async def parameters(self, model: str) -> dict[str, str]:
        """The `parameters` of a model's config.pbtxt."""
        request = self._client().get_model_config(model, headers=dict(self._headers))
        config = await self._answer(request, model, within_s(self._timeout_s))
        with reading(self.url):
            return {name: str(value["string_value"]) for name, value in config.get("parameters", {}).items()}

    async def version(self, model: str) -> str:
        """The version of a model that answers its requests."""
        request = self._client().get_model_metadata(model, headers=dict(self._headers))
        answer = await self._answer(request, model, within_s(self._timeout_s))
        with reading(self.url):
            return newest(answer.get("versions", []))

    async def models(self) -> tuple[ServedModel, ...]:
        """What the server's repository holds, ready or not."""
        request = self._client().get_model_repository_index(headers=dict(self._headers))
        index = await self._answer(request, "", within_s(DIAGNOSIS_TIMEOUT_S))
        with reading(self.url):
            return tuple(
                ServedModel(line["name"], line.get("version", ""), line.get("state", ""), line.get("reason", ""))
                for line in index
            )

    async def statistics(self) -> dict[str, ModelStatistics]:
        """What each model has done since the server began: `Wire.statistics`."""
        request = self._client().get_inference_statistics(headers=dict(self._headers))
        answer = await self._answer(request, "", within_s(self._timeout_s))
        with reading(self.url):
            return statistics_of(answer["model_stats"])

    async def is_ready(self, timeout_s: float) -> bool:
        """Whether the server is there and every model of it is ready."""
        try:
            async with asyncio.timeout(timeout_s):
                return bool(await self._client().is_server_ready(headers=dict(self._headers)))
        except (TimeoutError, OSError, aiohttp.ClientError, InferenceServerException, ValueError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _client(self) -> _Client:
        # Made on first use: aiohttp binds a session to the event loop that runs at that moment.
        if self._opened is None:
            self._opened = _Client(
                self._address,
                conn_limit=ANY_NUMBER_OF_CONNECTIONS,
                conn_timeout=NO_TIMEOUT_S,
                ssl=self._tls is not None,
                ssl_context=self._tls.context() if self._tls else True,
            )
        return self._opened

    async def _answer(self, request: Awaitable[Answer], model: str, limit_s: float) -> Answer:
        try:
            async with asyncio.timeout(limit_s):
                return await request
        except TimeoutError:
            raise ServerTimeout(self.url, model, limit_s) from None
        except (aiohttp.ClientError, OSError) as error:
            untrusted = isinstance(error, (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError))
            raise ServerUnreachable(self.url, str(error) or type(error).__name__, passing=not untrusted) from None
        except InferenceServerException as error:
            failed = error
        except MALFORMED:  # no JSON, or tensors of another shape than they claim
            raise ServerUnreachable(self.url, NOT_TRITON) from None
        raise await self._failure(failed, model, limit_s)

    async def _failure(self, error: InferenceServerException, model: str, limit_s: float) -> TritonError:
        status, message = str(error.status()), str(error.message() or "no details")
        from_triton = error.debug_details() is None  # the library could read the answer
        if status in REFUSED:
            return AccessDenied(self.url, message if from_triton else f"HTTP status {status}")
        if model and from_triton and (status == "404" or "unknown model" in message):
            return await model_missing(self, model, message)
        if status == "503" and from_triton and QUEUED_TOO_LONG in message:
            return ServerTimeout(self.url, model, limit_s)
        if status == "503":
            return ServerBusy(self.url, model, message if from_triton else "HTTP status 503")
        if not from_triton:
            return ServerUnreachable(self.url, f"HTTP status {status}, {NOT_TRITON}", passing=status in PASSING_PAGES)
        return RequestFailed(self.url, model, message, passing=is_fault(message))


def _input(name: str, tensor: NDArray[Any]) -> InferInput:
    described = InferInput(name, list(tensor.shape), np_to_triton_dtype(tensor.dtype))
    return described.set_data_from_numpy(tensor)
