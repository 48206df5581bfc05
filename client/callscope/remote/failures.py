"""What a storage can fail with, told apart by its own code and said without the address's secrets.

The text of such an error may quote a signed address, and is therefore never shown: its code, its status or its kind is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from callscope.errors import RemoteDenied, RemoteError, RemoteRefused, RemoteUnreachable
from callscope.remote.address import shown
from callscope_preprocessing.errors import AudioError

MISSING = frozenset({"NoSuchBucket", "NoSuchKey", "NotFound", "404", "410"})
CREDENTIAL_CODES = """
ExpiredToken ExpiredTokenException InvalidAccessKeyId InvalidToken SignatureDoesNotMatch TokenRefreshRequired
NoCredentialsError PartialCredentialsError CredentialRetrievalError ProfileNotFound TokenRetrievalError
DefaultCredentialsError ClientAuthenticationError
"""
CREDENTIALS = frozenset(CREDENTIAL_CODES.split())
DENIED = frozenset({"AccessDenied", "Forbidden", "InvalidObjectState", "400", "401", "403", "ParamValidationError"})
CHANGED = frozenset({"PreconditionFailed", "FileExpired", "412"})
BUGS = (AssertionError, AttributeError, ImportError, NameError, TypeError)
"""What is no failure of a storage."""


class RemoteChanged(RemoteRefused):
    """It was replaced while it was read, or ended early; the next attempt may have it whole.

    What to do: run the same command again when it is complete.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} changes while it is read. Run the same command again when it is complete.")


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Turn what a storage fails with into a sentence.

    Raises:
        RemoteRefused: it is not there, may not be read, or was replaced meanwhile.
        RemoteDenied: the storage does not accept our credentials.
        RemoteUnreachable: whatever may pass.
    """
    try:
        yield
    except (RemoteError, AudioError, *BUGS):
        raise
    except Exception as error:
        raise _explained(error, shown(address)) from None  # its text may hold a signature


def _explained(error: Exception, name: str) -> RemoteError:
    codes = _codes(error)
    if denied := next((code for code in codes if code in CREDENTIALS), None):
        return RemoteDenied(name, denied)
    if CHANGED.intersection(codes):
        return RemoteChanged(name)
    if any(code in MISSING for code in codes) or (isinstance(error, FileNotFoundError) and error.__cause__ is None):
        return RemoteRefused(f"There is no {name}. Check the address.")
    denied = next((code for code in codes if code in DENIED), None)
    if denied or isinstance(error, PermissionError):
        return RemoteRefused(f"{name} may not be read ({denied or 'denied'}). Check its permissions and the address.")
    return RemoteUnreachable(name, codes[0] if codes else "no reason given")


def _codes(error: BaseException | None) -> list[str]:
    """The storage's own code, HTTP's status and the kind of an error and of what caused it, innermost first."""
    codes: list[str] = []
    while error is not None:
        codes = [*_own_codes(error), *codes]
        error = error.__cause__
    return codes


def _own_codes(error: BaseException) -> list[str]:
    response, status = getattr(error, "response", None), getattr(error, "status", None)
    told = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else None
    return [str(code) for code in (told, status, reason, type(error).__name__) if code]
