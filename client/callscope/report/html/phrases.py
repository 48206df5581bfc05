"""What the page says, in a form that the reader can switch to another language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from markupsafe import Markup

from callscope.report.html.policy import printable

Texts: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text by its key, and what stands in its {braces}: text as it is, or other phrases."""

    key: str
    values: tuple[tuple[str, str | Phrase], ...] = ()


def phrase(key: str, **values: str | Phrase) -> Phrase:
    """A phrase of the texts in `texts/*.toml`."""
    return Phrase(key, tuple(values.items()))


@dataclass(frozen=True, slots=True)
class Speech:
    """Writes phrases into a page: in one language now, and so that a script can write them in another."""

    texts: Texts

    def plain(self, said: Phrase) -> str:
        """The phrase as text."""
        text = self.texts[said.key]
        for name, value in said.values:
            text = text.replace(f"{{{name}}}", self.plain(value) if isinstance(value, Phrase) else value)
        return text

    def element(self, said: Phrase, tag: str = "span") -> Markup:
        """The phrase as an element."""
        return Markup('<{0} data-text="{1}">{2}</{0}>').format(Markup(tag), _packed(said), self.plain(said))  # noqa: S704  tags are the templates' own

    def attribute(self, name: str, said: Phrase) -> Markup:
        """The phrase as an attribute: `aria-label`, `title` or `placeholder`."""
        return Markup('{0}="{1}" data-{0}="{2}"').format(Markup(name), self.plain(said), _packed(said))  # noqa: S704  as above


def _packed(said: Phrase) -> str:
    return json.dumps(_plain(said), ensure_ascii=False, separators=(",", ":")) if said.values else said.key


def _plain(said: Phrase) -> list[object]:
    values = {name: _plain(value) if isinstance(value, Phrase) else printable(value) for name, value in said.values}
    return [said.key, values]
