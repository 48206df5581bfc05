"""The page over many calls, used in a real browser."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.conftest import Opened
from tests.client.report.many_calls import AGENTS, QUEUES, results, write_results

from callscope.report.overview.brief import Brief, brief_of
from callscope.report.overview.gathering import gathered
from callscope.report.overview.page import render

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def briefs(tmp_path_factory: pytest.TempPathFactory) -> list[Brief]:
    folder = write_results(tmp_path_factory.mktemp("results"))
    return [brief for brief in gathered(sorted(folder.glob("*.json")), folder) if isinstance(brief, Brief)]


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


def count(opened: Opened) -> str:
    return opened.page.locator("#count").inner_text()


def test_a_bar_shows_its_calls_and_lets_them_go(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    bar = opened.page.locator(".column[role=button]").last
    name = bar.locator("title").text_content() or ""
    wanted = int(name.rsplit(": ", 1)[1])
    bar.press("Enter")
    assert count(opened) == f"1–{min(wanted, 50)} of {wanted}"
    assert opened.page.locator("#narrowed").inner_text() == f"Negative words: {name}"
    assert opened.page.locator("#clear").evaluate("one => one === document.activeElement")
    opened.page.keyboard.press("Enter")
    assert count(opened) == "1–50 of 300"
    assert bar.evaluate("one => one === document.activeElement")
    bar.click()
    bar.click()
    assert count(opened) == "1–50 of 300"


def test_a_bar_of_one_language_shows_calls_in_it(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    panel = opened.page.locator(".panel", has_text="Words a minute").filter(has_text="Korean")
    panel.locator(".column[role=button]").first.press(" ")
    assert rows(opened)
    assert all("\tKorean\t" in row for row in rows(opened))


def test_arrow_keys_move_between_bars_and_tab_leaves_them(
    open_page: Callable[..., Opened], briefs: list[Brief]
) -> None:
    opened = open_page(render(briefs, language="en"))
    charts = opened.page.locator(".histogram")
    assert charts.locator('[tabindex="0"]').count() == charts.count()
    bars = charts.first.locator("[role=button]")
    bars.first.focus()
    for key, place in (("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", 0), ("End", bars.count() - 1), ("Home", 0)):
        opened.page.keyboard.press(key)
        assert bars.nth(place).evaluate("one => one === document.activeElement"), (key, place)
    opened.page.keyboard.press("Tab")
    assert charts.nth(1).locator("[role=button]").first.evaluate("one => one === document.activeElement")


def test_the_table_is_sorted_searched_and_turned(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    opened.page.locator("#table button[data-figure=duration]").click()
    assert rows(opened)[0].startswith("0017.wav")
    assert opened.page.locator("#table th[aria-sort=descending]").count() == 1
    opened.page.locator("#table button[data-figure=duration]").click()
    assert not rows(opened)[0].startswith("0017.wav")
    opened.page.locator("#after").click()
    assert count(opened) == "51–100 of 300"
    opened.page.locator("#search").fill("0123 queue")
    assert len(rows(opened)) == 1
    assert opened.is_clean()


def test_calls_of_several_time_zones_are_in_the_order_of_time(open_page: Callable[..., Opened]) -> None:
    made = results(3)
    for one, date in zip(made, ("2026-03-02T08:00+09:00", "2026-03-01T22:00-05:00", "2026-03-02T00:00Z"), strict=True):
        one["call"]["metadata"] = {"date": date}
    opened = open_page(render([brief_of(json.dumps(one).encode(), None) for one in made], language="en"))
    assert [row[:4] for row in rows(opened)] == ["0001", "0002", "0000"]
    opened.page.locator("#table button[data-sort='2']").click()
    assert [row[:4] for row in rows(opened)] == ["0000", "0002", "0001"]


def test_values_that_are_not_there_come_last_both_ways(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    for _ in range(2):
        opened.page.locator("#table button[data-figure=latency]").click()
        assert "–" not in opened.page.locator("#table tbody tr").first.locator("td").nth(5).inner_text()
        while opened.page.locator("#after").is_enabled():
            opened.page.locator("#after").click()
        assert opened.page.locator("#table tbody tr").last.locator("td").nth(5).inner_text() == "–"


def test_all_figures_are_shown_on_demand(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    heads = opened.page.locator("#table thead th:visible")
    few = heads.count()
    opened.page.locator("#every").check()
    assert heads.count() == few + 9
    assert opened.page.locator("#table tbody tr").first.locator("th, td").count() == heads.count()


def test_a_call_leads_to_its_own_page(open_page: Callable[..., Opened], briefs: list[Brief], tmp_path: Path) -> None:
    (tmp_path / "0298.html").write_text("<!DOCTYPE html><title>the call</title>")
    opened = open_page(render(briefs, language="en"))
    assert opened.page.locator("#table tbody a").count() == 25
    opened.page.locator("#table tbody a").first.click()
    assert opened.page.title() == "the call"


def test_csv_holds_the_chosen_calls_and_runs_nothing(open_page: Callable[..., Opened], tmp_path: Path) -> None:
    sources = ["=1+1", "＝1+1", "a;=2", 'a"b', "plain"]
    made = results(len(sources))
    for one, source in zip(made, sources, strict=True):
        one["call"] |= {"source": source, "metadata": {}}
    made[4]["metrics"]["roles"]["customer"] = {"sentiment": {"mean": -0.5, "trend": None}}
    opened = open_page(render([brief_of(json.dumps(one).encode(), None) for one in made], language="ja"))
    with opened.page.expect_download() as started:
        opened.page.locator("#download").click()
    started.value.save_as(tmp_path / "calls.csv")
    text = (tmp_path / "calls.csv").read_bytes().decode("utf-8-sig")
    assert '"a""b",' in text
    assert '"a;=2",' in text  # one cell also where semicolons separate them
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["file"] for row in rows] == ["plain", 'a"b', "a;=2", "'＝1+1", "'=1+1"]
    assert (rows[0]["customer_sentiment"], rows[0]["customer_trend"]) == ("-0.5", "")


def test_all_of_it_is_said_in_the_language_chosen(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"))
    opened.page.locator(".column[role=button]").first.press("Enter")
    opened.page.select_option("#language", "ko")
    assert opened.page.locator("h1").inner_text() == "통화 모음"
    assert "건 중" in count(opened)
    assert opened.page.locator("#narrowed").inner_text().startswith("길이: ")
    shown = opened.page.locator("main").inner_text() + "".join(opened.page.locator("title").all_text_contents())
    left = set(re.findall(r"\b[A-Za-z]{3,}\b", shown)) - {
        "Callscope", "CSV", "wav", "sentiment", "queue", "agent", "English", *QUEUES, *AGENTS, "SUM",
    }  # fmt: skip
    assert not left


def test_ten_thousand_calls_are_a_page_at_a_time(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs * 34, language="en"))
    assert count(opened) == "1–50 of 10200"
    opened.page.locator("#table button[data-figure=latency]").click()
    opened.page.locator("#search").fill("queue: billing")
    assert count(opened).startswith("1–50 of 3")
    assert opened.page.locator("#table tbody tr").count() == 50


def test_it_is_printed_without_what_is_for_the_screen(open_page: Callable[..., Opened], briefs: list[Brief]) -> None:
    opened = open_page(render(briefs, language="en"), scheme="dark")
    opened.page.emulate_media(media="print")
    assert not opened.page.locator("#search").is_visible()
    assert opened.page.locator(".histogram").first.is_visible()
    assert opened.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert opened.page.pdf().startswith(b"%PDF")
