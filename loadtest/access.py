"""What a server asks of those who load it: keys in headers, and TLS, by the settings that commands use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from callscope.settings import load_settings
from callscope.triton.tls import Tls


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in.

    Attributes:
        headers: sent with every request.
        tls: whom to trust where the address has TLS.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    tls: Tls = field(default_factory=Tls)


def read_access() -> Access:
    """As `headers` and `tls_ca` say, from the environment, the folder of secrets or callscope.toml.

    Raises:
        SettingsInvalid: they make no sense.
    """
    settings = load_settings().settings
    return Access(settings.header_fields(), Tls(settings.tls_ca, settings.tls_cert, settings.tls_key))
