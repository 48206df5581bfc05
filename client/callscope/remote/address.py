"""Addresses of recordings: which text is one, and what of it may be shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
WEB = frozenset({"http", "https"})
BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"})
"""Where a name may hold `?` and `#`, which are no query there."""
CHAIN = "::"


def is_address(text: str) -> bool:
    """Whether a text is the address of something elsewhere, and no path."""
    return SCHEME.match(text) is not None


def scheme_of(address: str) -> str:
    """What it begins with, in lower case."""
    found = SCHEME.match(address)
    return found[1].lower() if found else ""


def shown(address: str) -> str:
    """An address as people may see it: without name and password, and without the query that may be a signature."""
    if not is_address(address):
        return address
    parts = urlsplit(address, allow_fragments=False)
    host = parts.netloc.rpartition("@")[2]
    if scheme_of(address) in BUCKETS:
        _, _, rest = address.partition("://")
        place = rest.split("/", 1)
        return f"{parts.scheme}://{'/'.join([place[0].rpartition('@')[2], *place[1:]])}"
    return urlunsplit((parts.scheme, host, parts.path.partition("#")[0], "", ""))
