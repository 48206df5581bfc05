"""Whom to trust, and who one is, where a server speaks TLS."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from callscope.errors import SettingsInvalid

FLAGS = ("--tls-ca", "--tls-cert", "--tls-key")


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM form.

    Attributes:
        ca: the certificates to trust instead of the system's.
        cert: the client's own certificate, for servers that ask for one.
        key: its private key.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def check(self, flags: tuple[str, str, str] = FLAGS) -> None:
        """Make sure that the files can be read.

        Args:
            flags: what an error calls them.

        Raises:
            SettingsInvalid: one cannot, or the certificate or its key is missing.
        """
        if (self.cert is None) != (self.key is None):
            given, missing = flags[1:] if self.cert else flags[:0:-1]
            raise SettingsInvalid(f"{given} is given without {missing}. Give both, or neither.")
        for flag, file in zip(flags, (self.ca, self.cert, self.key), strict=True):
            if file is not None and not (file.is_file() and os.access(file, os.R_OK)):
                raise SettingsInvalid(f"{file} cannot be read. Correct {flag}: it names a file in PEM form.")

    def context(self) -> ssl.SSLContext:
        """For HTTP.

        Raises:
            SettingsInvalid: a file holds something else than it should.
        """
        self.check()
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except ssl.SSLError as error:
            raise SettingsInvalid(
                f"The TLS files cannot be used ({error.reason or error}). "
                "Correct --tls-ca, --tls-cert and --tls-key: each names a file in PEM form, the key without a password."
            ) from error
        return context
