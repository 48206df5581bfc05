"""Texts of others without what no text can have."""

from __future__ import annotations

import re

LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")
"""Halves of characters, which JSON can spell and no encoding can write."""
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")


def clean(text: str) -> str:
    """The text without control characters, halves of characters replaced by "�"."""
    return CONTROLS.sub("", LONE_SURROGATES.sub("\ufffd", text))


def plain(text: str) -> str:
    """The same on one line, with single spaces."""
    return " ".join(clean(text).split())
