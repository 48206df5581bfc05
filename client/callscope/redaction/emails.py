"""E-mail addresses, written and said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from callscope.redaction.digits import table

WRITTEN = re.compile(r"[a-z0-9._%+-]+\s?@\s?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
ENDING = {
    "en": r"(?:com|net|org|edu|gov|io|co|uk|us|info|biz|jp|kr|me|app|dev)",
    "ko": r"(?:com|net|co|kr|org|컴|넷|케이알|씨오|오알지)",
    "ja": r"(?:com|net|co|jp|ne|or|コム|ネット|ジェーピー|シーオー|エヌイー)",
}
PART = {"en": r"[a-z0-9]+(?:[._-][a-z0-9]+)*", "ko": r"[a-z0-9가-힣]+(?:[._-][a-z0-9]+)*", "ja": r"[a-z0-9ァ-ヶー._-]"}
SPELLED = {"en": r"(?:(?:[a-z0-9]|as in [a-z]+)[ ,-]+)*", "ko": r"(?:[a-z0-9]+[ ,]+)*", "ja": r""}


def find_emails(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Start and end of each address.

    Args:
        text: in lower case.
        language: en, ko or ja.
    """
    for pattern in (WRITTEN, _spoken(language)):
        for match in pattern.finditer(text):
            yield match.start(), match.end()


@cache
def _spoken(language: str) -> re.Pattern[str]:
    """A name with what joins its parts, "at", a domain, "dot" and an ending of domains."""
    row = table()[language]
    edge = r"\b" if language == "en" else ""
    space = r"[ ,]+" if language == "en" else r"[ ,、]*"
    at, dot, joins = (rf"{edge}(?:{'|'.join(map(re.escape, row[name]))}){edge}" for name in ("at", "dot", "joins"))
    part = PART[language]
    if language == "ja":
        part = rf"(?:(?!{at}|{dot}){part})+"  # no spaces part it from the words around it
    dotted = rf"{space}(?:{dot}|\.){space}"
    domain = rf"{part}(?:{dotted}{part})*?(?:{dotted}{ENDING[language]})+"
    local = rf"{SPELLED[language]}{part}(?:{space}{joins}{space}{part})*"
    return re.compile(rf"{local}{space}(?:{at}|@){space}{domain}")
