"""The page of a call, looked at: in every language, wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from callscope.report import html

from ..report_calls import build, dialogue_call

LANGUAGES = ("en", "ja", "ko")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_sound(
    language: str, size: str, scheme: str, open_page: Callable[..., object], faults: Callable[..., list[str]]
) -> None:
    opened = open_page(html.write(dialogue_call(language)), size=size, scheme=scheme)
    page = opened.page
    page.evaluate("for (const one of document.querySelectorAll('details')) { one.name = ''; one.open = true; }")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "it scrolls sideways"
    assert opened.is_clean(), (opened.complaints, opened.requests)
