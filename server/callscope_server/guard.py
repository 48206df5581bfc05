"""Who may ask a server what: keys that requests carry in a header, and TLS on gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from callscope_server.errors import ServerError

USE = "inference,metadata,model-config"
"""What whoever sends the client's key may ask; health stays open to all."""
INSIDE = "model-repository,shared-memory,statistics,trace,logging"
"""What changes the server or looks inside it, for whoever sends the administrator's key."""
GRPC_PREFIX = "triton-grpc-protocol-"
"""What Triton puts before the name of a header on gRPC; HTTP's headers get it here, so that one name serves both."""
CLIENT, ADMIN = "callscope-key", "callscope-admin-key"
SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class Guard:
    """What a server asks of those who ask it.

    Attributes:
        client_key: the value of the header `triton-grpc-protocol-callscope-key`; empty to let everybody in.
        admin_key: the value of `triton-grpc-protocol-callscope-admin-key`; empty likewise.
        certificate: of the server, in PEM form, to speak TLS on gRPC and nothing else there.
        private_key: of the certificate.
        authority: what has signed the certificates that clients must show; none need to be shown if not given.
    """

    client_key: str = ""
    admin_key: str = ""
    certificate: Path | None = None
    private_key: Path | None = None
    authority: Path | None = None

    def arguments(self) -> list[str]:
        """Of tritonserver. Others on this machine can read the keys there: Triton takes them in no other way."""
        return [*_restrict(USE, CLIENT, self.client_key), *_restrict(INSIDE, ADMIN, self.admin_key), *self._tls()]

    def admin_headers(self) -> dict[str, str]:
        """The headers with which the launcher asks its own server about its models, over HTTP."""
        return {GRPC_PREFIX + ADMIN: self.admin_key} if self.admin_key else {}

    def _tls(self) -> list[str]:
        if self.certificate is None:
            return []
        asks = [f"--grpc-root-cert={self.authority}", "--grpc-use-ssl-mutual=true"] if self.authority else []
        files = [f"--grpc-server-cert={self.certificate}", f"--grpc-server-key={self.private_key}"]
        return ["--grpc-use-ssl=true", *files, *asks]


def read_key(file: Path) -> str:
    """The key that a file holds, without the line's end.

    Raises:
        ServerError: it cannot be read, or is too short, or has characters that a header cannot have.
    """
    try:
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ServerError(
            f"The key in {file} cannot be read ({type(error).__name__}). Name a file of ASCII."
        ) from error
    if len(key) < SHORTEST_KEY or not key.isprintable() or " " in key:
        raise ServerError(
            f"{file} holds no key: at least {SHORTEST_KEY} characters without spaces. "
            f"Make one with `openssl rand -hex 32`."
        )
    return key


def _restrict(apis: str, name: str, key: str) -> list[str]:
    if not key:
        return []
    return [
        f"--http-restricted-api={apis}:{GRPC_PREFIX}{name}={key}",
        f"--grpc-restricted-protocol={apis}:{name}={key}",
    ]
