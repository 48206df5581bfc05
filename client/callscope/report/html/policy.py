"""What keeps a text of the call from becoming part of the page, and the page from asking for anything."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from markupsafe import Markup

_UNPRINTABLE = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_IN_SCRIPTS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def content_policy(script: str, style: str, audio: str | None) -> str:
    """The page's Content-Security-Policy: this script and this style, known by their hashes, and the recording.

    Args:
        script: the text of the only script element.
        style: the text of the only style element.
        audio: what the player plays: a `data:` URI, a path, or None.
    """
    media = "'none'" if audio is None else "data:" if audio.startswith("data:") else "'self' file:"
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; media-src {media}; "
        "base-uri 'none'; form-action 'none'"
    )


def data(value: object) -> Markup:
    """A value as JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    return Markup(json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_IN_SCRIPTS))  # noqa: S704  that is what the table is for


def printable(document: str) -> str:
    """The document without what would damage it.

    Lone surrogates and control characters, which no HTML file may hold, become U+FFFD; so do the marks that make text
    run backwards, which would carry beyond the text they came in.
    """
    return _REORDERING.sub("\ufffd", _UNPRINTABLE.sub("\ufffd", document))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
