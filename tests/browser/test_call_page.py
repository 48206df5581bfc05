"""The page of a call, looked at: in every language, wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from callscope.report import html

from ..report_calls import dialogue_call, hostile_call

if TYPE_CHECKING:
    from .conftest import Opened

LANGUAGES = ("en", "ja", "ko")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_sound(
    language: str, size: str, scheme: str, open_page: Callable[..., Opened], faults: Callable[..., list[str]]
) -> None:
    opened = open_page(html.write(dialogue_call(language)), size=size, scheme=scheme)
    page = opened.page
    page.evaluate("for (const one of document.querySelectorAll('details')) { one.name = ''; one.open = true; }")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "it scrolls sideways"
    assert opened.is_clean(), (opened.complaints, opened.requests)


def test_the_search_for_faults_finds_them(open_page: Callable[..., Opened], faults: Callable[..., list[str]]) -> None:
    page = open_page(html.write(dialogue_call("en"))).page
    page.evaluate("query.removeAttribute('aria-label'); query.removeAttribute('placeholder')")
    page.evaluate("document.querySelector('.said').style.color = '#eee'")
    found = " ".join(faults(page))
    assert "label" in found
    assert "color-contrast" in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_texts_stay_inert(language: str, open_page: Callable[..., Opened]) -> None:
    opened = open_page(html.write(hostile_call()))
    page = opened.page
    page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
    page.locator("#language").select_option(language)
    for summary in page.locator(".ratios summary").all():
        summary.click()
    page.locator(".who [data-segment='3']").hover()
    page.locator(".who [data-segment='3']").click()
    page.locator("#query").fill("<script>")
    page.locator("#query").press("Enter")
    assert page.locator("main img, main script").count() == 0
    assert "</script><script>alert(1)</script><!-- -->" in (page.locator(".said").first.text_content() or "")
    assert "{{ 7*7 }} \ufffd\ufffd\ufffd" in page.locator("h1").inner_text()
    assert opened.is_clean(), (opened.complaints, opened.requests)


def test_a_long_name_does_not_widen_a_phone(open_page: Callable[..., Opened]) -> None:
    page = open_page(html.write(hostile_call()), size="phone").page
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
