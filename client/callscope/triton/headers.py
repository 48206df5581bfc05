"""Headers as a setting writes them: NAME: VALUE, one a line."""

from __future__ import annotations

import re

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def parse_headers(text: str) -> dict[str, str]:
    """The headers by name.

    Raises:
        ValueError: a line is none; the message does not repeat it, because it may be a secret.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not (colon and NAME.fullmatch(name) and value.isascii() and value.isprintable()):
            raise ValueError(f"line {number} must be NAME: VALUE, in printable ASCII")
        found[name] = value
    return found
