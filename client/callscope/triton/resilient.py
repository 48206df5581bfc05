"""The transport that commands use: one or more servers, tried again, relieved and left alone as they need it."""

from __future__ import annotations

from collections.abc import Mapping

from callscope.errors import SettingsInvalid
from callscope.settings import Settings
from callscope.triton.endpoint import Endpoint
from callscope.triton.pool import PoolTransport
from callscope.triton.retrying import Policy, RetryingTransport
from callscope.triton.tls import Tls
from callscope.triton.transport import DEFAULT_TIMEOUT_S, FORMS, Transport, addresses, connect


def open_transport(servers: str, settings: Settings, policy: Policy | None = None) -> Transport:
    """Connect as the settings say.

    Args:
        servers: an address, or several with commas: what `server_url` gives.
        settings: of these the request timeout, TLS files and headers.
        policy: when to try again, if otherwise than for a single call.

    Raises:
        SettingsInvalid: an address, a header or a file of TLS makes no sense.
    """
    tls = Tls(settings.tls_ca, settings.tls_cert, settings.tls_key)
    return connect_all(servers, timeout_s=settings.timeout_s, headers=settings.header_fields(), tls=tls, policy=policy)


def connect_all(
    servers: str,
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    headers: Mapping[str, str] | None = None,
    tls: Tls | None = None,
    policy: Policy | None = None,
) -> Transport:
    """Connect to one server or several: retries around a pool of endpoints; the arguments are those of `connect`.

    Raises:
        SettingsInvalid: there is no address, or one has another form.
    """
    urls = addresses(servers)
    if not urls:
        raise SettingsInvalid(f"There is no address of a Triton server in {servers!r}. Write {FORMS}.")
    wires = [connect(url, timeout_s=timeout_s, headers=headers, tls=tls) for url in urls]
    return RetryingTransport(PoolTransport([Endpoint(wire) for wire in wires]), policy)
