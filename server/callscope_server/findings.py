"""What a check of this machine found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    Attributes:
        name: what was checked, one word.
        ok: whether it is fit to run the server.
        detail: what was found, a clause without a final stop.
        remedy: what to do about it, one or more sentences; empty when there is nothing to do. Where `ok`, it is advice.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
