"""The page over many calls, used in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.conftest import Opened
from tests.client.report.many_calls import write_results

from callscope.report.overview.brief import Brief, read_briefs
from callscope.report.overview.page import render

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def briefs(tmp_path_factory: pytest.TempPathFactory) -> list[Brief]:
    folder = write_results(tmp_path_factory.mktemp("results"))
    return [brief for file in sorted(folder.glob("*.json")) for brief in read_briefs(file, folder)]


LOOKS = [("en", "desktop", "light"), ("ja", "phone", "dark"), ("ko", "desktop", "dark"), ("ko", "phone", "light")]


@pytest.mark.parametrize(("language", "size", "scheme"), LOOKS)
def test_the_page_is_clean_and_open_to_all(  # noqa: PLR0917  fixtures and parameters
    open_page: Callable[..., Opened],
    faults: Callable[[Page], list[str]],
    briefs: list[Brief],
    language: str,
    size: str,
    scheme: str,
) -> None:
    opened = open_page(render(briefs[:25], language=language), size=size, scheme=scheme)
    assert opened.is_clean(), (opened.complaints, opened.requests)
    assert not faults(opened.page)
    wide = opened.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def rows(opened: Opened) -> list[str]:
    return opened.page.locator("#table tbody tr").all_inner_texts()


def test_a_bar_shows_its_calls_and_lets_them_go(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    bar = opened.page.locator(".column[role=button]").last
    wanted = int((bar.get_attribute("aria-label") or "").rsplit(": ", 1)[1])
    bar.press("Enter")
    assert opened.page.locator("#count").inner_text() == f"1–{min(wanted, 50)} of {wanted}"
    opened.page.locator("#clear").click()
    assert opened.page.locator("#count").inner_text() == "1–50 of 300"


def test_the_table_is_sorted_searched_and_turned(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    opened.page.locator("#table button[data-figure=duration]").click()
    assert rows(opened)[0].startswith("0017.wav")
    assert opened.page.locator("#table th[aria-sort=descending]").count() == 1
    opened.page.locator("#table button[data-figure=duration]").click()
    assert not rows(opened)[0].startswith("0017.wav")
    opened.page.locator("#after").click()
    assert opened.page.locator("#count").inner_text() == "51–100 of 300"
    opened.page.locator("#search").fill("0123 team")
    assert len(rows(opened)) == 1
    assert opened.is_clean()


def test_csv_holds_the_chosen_calls_and_runs_nothing(
    open_page: Callable[..., Opened], briefs: list[Brief], tmp_path: Path
) -> None:
    opened = open_page(render(briefs, language="ja"))
    opened.page.locator("#search").fill("0123")
    with opened.page.expect_download() as started:
        opened.page.locator("#download").click()
    started.value.save_as(tmp_path / "calls.csv")
    lines = (tmp_path / "calls.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("file,page,date")


def test_the_language_is_switched(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    opened.page.select_option("#language", "ko")
    assert opened.page.locator("h1").inner_text() == "통화 모음"
    assert opened.page.locator("#count").inner_text() == "300건 중 1–50"


def test_ten_thousand_calls_are_sorted_and_searched_at_once(
    open_page: Callable[..., Opened], briefs: list[Brief]
) -> None:
    opened = open_page(render(briefs * 34, language="en"))
    start_s = time.perf_counter()
    opened.page.locator("#table button[data-figure=latency]").click()
    opened.page.locator("#search").fill("team: b")
    assert "of" in opened.page.locator("#count").inner_text()
    assert time.perf_counter() - start_s < 5  # it hangs for minutes where each row is laid out
    assert len(rows(opened)) == 50
