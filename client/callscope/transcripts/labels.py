"""What a transcript calls its speakers, and what that says of their roles."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from callscope.call import Role

AGENT, CUSTOMER, OTHER = "agent", "customer", "other"
NUMBERED = re.compile(
    r"(?:speaker|spk|s|channel|ch|화자|발화자|참석자|話者|発話者)[\s_#-]*\d+|speaker[\s_-]+[a-z]", re.IGNORECASE
)
"""Names that are nothing but a name for a speaker: SPEAKER_00, spk_1, Speaker A, 화자 1."""


@lru_cache(maxsize=4096)
def kind_of(label: str) -> str | None:
    """What a label tells: "agent", "customer", or "other" for one who is neither; None where it tells nothing."""
    return _kinds().get(_plain(label))


def role_of(label: str | None) -> Role | None:
    """The role that a label tells; None where it tells none."""
    kind = kind_of(label) if label else None
    return AGENT if kind == AGENT else CUSTOMER if kind == CUSTOMER else None  # type: ignore[return-value]


def is_known(label: str) -> bool:
    """Whether nothing but a speaker is called that."""
    return kind_of(label) is not None or NUMBERED.fullmatch(label) is not None


@cache
def _kinds() -> Mapping[str, str]:
    table = tomllib.loads(files("callscope.transcripts").joinpath("labels.toml").read_text("utf-8"))
    return {_plain(name): kind for kind, names in table.items() for name in names}


def _plain(label: str) -> str:
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", label).casefold()))
    return letters.rstrip("0123456789")
