"""The seam between the client and a Triton server: swap the wire, keep the client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from numpy.typing import NDArray

from callscope.errors import ModelMissing, SettingsInvalid, TritonError
from callscope.triton.statistics import ModelStatistics
from callscope.triton.tls import Tls

Tensors = Mapping[str, NDArray[Any]]

SCHEMES = frozenset({"grpc", "grpcs", "http", "https"})
FORMS = "grpc://HOST:PORT or http://HOST:PORT, or with TLS grpcs:// or https://"
DEFAULT_TIMEOUT_S = 120.0
DIAGNOSIS_TIMEOUT_S = 5.0
"""How long an error may take to find out what the server serves instead."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One line of a server's repository index.

    Attributes:
        name: the model's name.
        version: its version, a number written as text.
        state: READY, LOADING, UNLOADING or UNAVAILABLE; empty when the server never tried to load it.
        reason: why it is not ready.
    """

    name: str
    version: str
    state: str
    reason: str


class Transport(Protocol):
    """Whatever carries tensors to a server and back.

    Every method raises `ServerUnreachable`, `ServerTimeout` or `ServerBusy` when the server does not answer.

    Attributes:
        url: the server's address, for messages.
    """

    @property
    def url(self) -> str:
        """The server's address, for messages."""

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Sequence[str] | None = None,
        timeout_s: float | None = None,
        priority: int = 0,
    ) -> dict[str, NDArray[Any]]:
        """Run a model once.

        Args:
            model: its name.
            inputs: a tensor for each input, batch dimension included where the model has one.
            outputs: the outputs wanted; all when None.
            timeout_s: the deadline of this request, of which the server learns too; the transport's own when None. A
                `deadline` that ends earlier counts for it.
            priority: Triton's priority level, 1 the highest; 0 asks for the model's default.

        Raises:
            ModelMissing: the server does not serve the model.
            RequestFailed: the model could not answer.
        """

    async def parameters(self, model: str) -> dict[str, str]:
        """The `parameters` of a model's config.pbtxt.

        Raises:
            ModelMissing: the server does not serve the model.
        """

    async def version(self, model: str) -> str:
        """The version of a model that answers its requests: the newest one served, a number written as text.

        Raises:
            ModelMissing: the server does not serve the model.
        """

    async def models(self) -> tuple[ServedModel, ...]:
        """What the server's repository holds, ready or not."""

    async def close(self) -> None:
        """Close the connections; the transport cannot be used afterwards."""


class Wire(Transport, Protocol):
    """A transport that ends at one server, which can be asked how it is."""

    async def is_ready(self, timeout_s: float) -> bool:
        """Whether the server is there and every model of it is ready; never raises."""

    async def statistics(self) -> dict[str, ModelStatistics]:
        """What each model has done since the server began, by name.

        Raises:
            TritonError: the server does not say.
        """


def connect(
    url: str,
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    headers: Mapping[str, str] | None = None,
    tls: Tls | None = None,
) -> Wire:
    """Choose the transport by the scheme of `url`; the first request opens the connection.

    Args:
        url: grpc://HOST:PORT, http://HOST:PORT, or with TLS grpcs:// and https://.
        timeout_s: the deadline of a request that names none.
        headers: sent with every request (gRPC: as metadata), such as a gateway's authorization.
        tls: whom to trust and who one is, for an address with TLS; the system's certificates, and nobody, when None.

    Raises:
        SettingsInvalid: the address has another form, or a file of `tls` cannot be read.
    """
    if not is_address(url):
        raise SettingsInvalid(
            f"{url!r} is not the address of a Triton server. Write {FORMS}, for example grpc://127.0.0.1:8001."
        )
    parts = urlsplit(url)
    address = parts.netloc + parts.path.rstrip("/")
    files = (tls or Tls()) if parts.scheme.endswith("s") else None
    if files:
        files.check()
    if parts.scheme.startswith("grpc"):
        from callscope.triton.grpc import GrpcTransport  # noqa: PLC0415  one wire need not load the other's library

        return GrpcTransport(address, tls=files, timeout_s=timeout_s, headers=headers)
    from callscope.triton.http import HttpTransport  # noqa: PLC0415  as above

    return HttpTransport(address, tls=files, timeout_s=timeout_s, headers=headers)


def is_address(url: str) -> bool:
    """Whether `connect` takes the address."""
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port is not None
    except ValueError:
        return False
    return complete and parts.scheme in SCHEMES


def addresses(servers: str) -> tuple[str, ...]:
    """The addresses of a list with commas, each once."""
    return tuple(dict.fromkeys(url for part in servers.split(",") if (url := part.strip())))


def newest(versions: Iterable[str]) -> str:
    """The version that Triton runs when a request names none; empty without any."""
    return max(versions, key=lambda version: int(version) if version.isdecimal() else -1, default="")


async def model_missing(transport: Transport, model: str, detail: str) -> ModelMissing:
    """The error for a model that the server does not serve, naming what it serves instead."""
    try:
        models = await transport.models()
    except TritonError:
        return ModelMissing(transport.url, model, [], detail)
    ready = sorted({served.name for served in models if served.state == "READY"})
    reasons = [f"{served.state}: {served.reason}" for served in models if served.name == model and served.reason]
    return ModelMissing(transport.url, model, ready, "; ".join(reasons))
