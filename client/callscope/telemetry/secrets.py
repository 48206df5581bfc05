"""Keeps secrets out of logs, whatever a message was made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "…"
PASSWORD = re.compile(r"(\w[\w+.-]*://)[^/\s@]*@")
"""Whoever an address names before its host: gRPC's, a database's, a bucket's."""
SIGNED = re.compile(r"(?i)([?&](?:x-amz-[\w-]+|signature|sig|token|key|awsaccesskeyid|password)=)[^&\s\"']+")
"""What lets in whoever has the link, in its query."""
SHORTEST = 4
"""A value that is shorter would be found in words that are no secret."""


class Mask:
    """Hides what must not be read.

    Args:
        headers: name -> value of those sent with every request: the values are hidden wherever they stand.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        values = {part for value in headers.values() for part in (value, value.split()[-1] if value.strip() else "")}
        self._values = sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        if "://" in text:
            text = PASSWORD.sub(rf"\1{HIDDEN}@", text)
        return SIGNED.sub(rf"\1{HIDDEN}", text) if "=" in text else text

    def value(self, value: Any) -> Any:  # noqa: ANN401  a field of a log line is anything JSON can hold
        """A field of a log line without secrets, those in lists and mappings included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(one) for one in value]
        return value
