"""The pages of the project, and the commands and links in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = {"build", "node_modules", "site-packages"}
FENCE = re.compile(r"^(?P<indent>[> ]*)```(?P<language>\w*)\n(?P<body>.*?)^[> ]*```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Every Markdown file of the project."""
    found = []
    for path in sorted(ROOT.rglob("*.md")):
        parts = path.relative_to(ROOT).parts
        if not any(part.startswith(".") or part in GENERATED for part in parts):
            found.append(path)
    return found


def guides() -> list[Path]:
    """The pages whose commands a reader types."""
    return [
        page
        for page in pages()
        if page.parent == ROOT or page.is_relative_to(ROOT / "docs") or page.name == "README.md"
    ]


def name_of(page: Path) -> str:
    """A page as test reports call it."""
    return str(page.relative_to(ROOT))


def typed_lines(page: Path) -> Iterator[str]:
    """What a reader types: the lines of console blocks that follow a `$`, their continuations joined."""
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        lines = [line.removeprefix(fence["indent"]) for line in fence["body"].splitlines()]
        text = "\n".join(lines).replace("\\\n", " ")
        yield from (line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ "))


def inline_code(page: Path) -> Iterator[str]:
    """What stands between backticks in running text."""
    yield from (code.strip() for code in INLINE.findall(FENCE.sub("", page.read_text(encoding="utf-8"))))


def relative_links(page: Path) -> Iterator[str]:
    """The targets of links to files of the project, without anchors."""
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            yield target.partition("#")[0]
