"""The page of a call, used: what a click, a key, a search and the player do."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from callscope.report import html
from callscope.report.html.audio import embed, link
from callscope.report.times import clock

from ..report_calls import dialogue_call, long_call

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from .conftest import Opened

Open = Callable[..., "Opened"]
RATE_HZ = 8000
SEEK_MS = 200.0
PATIENCE_S = 20.0


def test_evidence_leads_to_its_sentence(open_page: Open) -> None:
    call = dialogue_call("en")
    page = open_page(html.write(call)).page
    proof = page.locator("[data-show]", has_text="I apologise for the wrong information")
    assert not proof.is_visible()
    page.locator("summary", has_text="Apology").click()
    proof.click()
    shown = page.locator(".sentence.shown")
    assert shown.text_content() == "I apologise for the wrong information."
    assert is_in_sight(page, ".sentence.shown")
    assert page.locator(".w.now").text_content() == "I"
    assert page.evaluate("place.time === Number(document.querySelector('.sentence.shown .w').dataset.at)")


@pytest.mark.parametrize(("kind", "what"), [("Silences", "silence"), ("Interruptions", "interrupts"), ("Both", "and")])
def test_a_moment_leads_to_its_segment(kind: str, what: str, open_page: Open) -> None:
    page = open_page(html.write(dialogue_call("en"))).page
    page.locator("[aria-labelledby=moments] summary", has_text=kind).click()
    moment = page.locator(".proofs a:visible", has_text=what).last
    moment.click()
    shown = moment.get_attribute("data-show")
    assert page.locator(".segment.shown").get_attribute("id") == shown
    assert float(page.evaluate("place.time")) == float(moment.get_attribute("data-seek") or "nan")
    assert is_in_sight(page, ".segment.shown")


def test_a_click_on_the_drawing_goes_to_that_segment(open_page: Open) -> None:
    call = dialogue_call("en")
    began = clock(call.segments[9].start_s)
    page = open_page(html.write(call)).page
    bar = page.locator(".who [data-segment='9']")
    bar.hover()
    assert page.locator("#tip").inner_text().startswith(f"{began} Agent: I understand how annoying")
    bar.click()
    assert page.locator(".segment.shown").get_attribute("id") == "g9"
    assert page.locator("#playhead").get_attribute("aria-valuetext") == began
    page.locator("path[data-moment='interruption']").last.click()
    assert "more than I expected" in (page.locator(".segment.shown").text_content() or "")


def test_the_playhead_listens_to_the_keyboard(open_page: Open) -> None:
    page = open_page(html.write(dialogue_call("en"))).page
    page.locator("#playhead").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("place.time === DATA.duration - 5")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("place.time") == 0


def test_a_search_counts_its_hits_and_walks_through_them(open_page: Open) -> None:
    page = open_page(html.write(dialogue_call("en"))).page
    page.locator("#query").fill("THANK you")
    wait_until(page, "document.getElementById('hits').textContent === '1 / 6'")
    for key, expected in (("Enter", "2 / 6"), ("Shift+Enter", "1 / 6"), ("Shift+Enter", "6 / 6")):
        page.keyboard.press(key)
        assert page.locator("#hits").inner_text() == expected
    assert (
        page.evaluate("[...CSS.highlights.get('hit')].map(String)") == ["Thank you"] + ["thank you"] + ["Thank you"] * 4
    )
    assert is_in_sight(page, ".segment.hit")
    page.locator("#next").click()
    assert page.locator("#hits").inner_text() == "1 / 6"
    page.locator("#query").fill("giraffe")
    wait_until(page, "document.getElementById('hits').textContent === 'No hits'")
    assert page.locator("#next").is_disabled()
    page.locator("#query").press("Escape")
    assert page.locator("#hits").inner_text() == ""
    assert page.evaluate("CSS.highlights.get('hit').size") == 0


def test_a_hit_may_run_over_several_words_and_sentences(open_page: Open) -> None:
    page = open_page(html.write(dialogue_call("ja"))).page
    page.locator("#query").fill("ます。みなと家")
    wait_until(page, "document.getElementById('hits').textContent === '1 / 1'")
    assert page.evaluate("[...CSS.highlights.get('hit')].map(String)") == ["ます。みなと家"]


def test_the_reader_can_switch_the_language(open_page: Open) -> None:
    opened = open_page(html.write(dialogue_call("ko"), "data:audio/wav;base64,"))
    page = opened.page
    assert page.evaluate("document.documentElement.lang") == "ko"
    heading = page.locator("#timeline-title")
    for language, expected in (("en", "Course of the call"), ("ja", "通話の流れ"), ("ko", "통화 흐름")):
        page.locator("#language").select_option(language)
        assert heading.inner_text() == expected
        assert page.evaluate("document.documentElement.lang") == language
        assert page.locator(".said").first.get_attribute("lang") == "ko"
    page.locator("#language").select_option("ja")
    assert page.locator("#query").get_attribute("placeholder") == "文字起こしを検索"
    assert page.locator(".segment .voice").first.text_content() == "オペレーター"
    assert page.evaluate("document.querySelectorAll('main')[0].innerText.includes('상담원의 말씨')") is False


def test_every_text_of_a_page_is_written_anew_in_another_language(open_page: Open) -> None:
    """Switched to English, a Korean call's page says what it would say if it had been written in English."""
    page = open_page(html.write(dialogue_call("ko"))).page
    read = "[...document.querySelectorAll('[data-text], [data-aria-label], [data-title]')].map((one) => one.outerHTML)"
    korean = page.evaluate(read)
    page.locator("#language").select_option("en")
    english = page.evaluate(read)
    page.locator("#language").select_option("ko")
    assert page.evaluate(read) == korean
    unchanged = [one for one, other in zip(korean, english, strict=True) if one == other and "unit." not in one]
    assert unchanged == []


def test_the_transcript_follows_the_recording_beside_the_page(open_page: Open, tmp_path: Path) -> None:
    call = dialogue_call("en")
    tone(tmp_path / "ein Anruf #1.wav", call.recording.duration_s)
    opened = open_page(html.write(call, link(tmp_path / "ein Anruf #1.wav", tmp_path / "page.html")))
    page = opened.page
    wait_until(page, "player.readyState > 0")
    page.locator(".segment .time").nth(4).click()
    wait_until(page, "Math.abs(player.currentTime - Number(segments[4].dataset.start)) < 0.01")
    page.evaluate("player.muted = true; player.playbackRate = 4; player.play()")
    wait_until(page, "place.segment === segments[6]")
    page.evaluate("player.pause()")
    assert is_in_sight(page, ".segment.now")
    word = page.locator("#g9 .w", has_text="annoying")
    word.click()
    wait_until(page, "document.querySelector('.w.now')?.textContent === 'annoying'")
    assert float(page.evaluate("player.currentTime")) == pytest.approx(
        float(word.get_attribute("data-at") or 0), abs=0.01
    )
    assert opened.complaints == []
    assert all(one.startswith(tmp_path.as_uri()) for one in opened.requests), "only the recording is asked for"


def test_the_recording_is_found_where_the_page_is_served(browser: Browser, tmp_path: Path) -> None:
    call = dialogue_call("en")
    tone(tmp_path / "call.wav", call.recording.duration_s)
    (tmp_path / "page.html").write_text(html.write(call, "./call.wav"), "utf-8")
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"http://127.0.0.1:{server.server_port}/page.html")
        wait_until(page, "player.readyState > 0")
        page.close()
        server.shutdown()
    assert [one for one in complaints if "favicon" not in one] == []


def test_the_recording_can_be_carried_in_the_page(open_page: Open, tmp_path: Path) -> None:
    call = dialogue_call("ko")
    tone(tmp_path / "call.wav", call.recording.duration_s)
    opened = open_page(html.write(call, embed(tmp_path / "call.wav")))
    (tmp_path / "call.wav").unlink()
    wait_until(opened.page, "player.readyState > 0")
    opened.page.locator(".segment .time").nth(12).click()
    wait_until(opened.page, "Math.abs(player.currentTime - Number(segments[12].dataset.start)) < 0.01")
    assert opened.complaints == []
    assert all(one.startswith("data:") for one in opened.requests)


def test_a_recording_that_is_gone_is_said_to_be(open_page: Open) -> None:
    page = open_page(html.write(dialogue_call("en"), "./gone.wav")).page
    page.locator("#no-sound").wait_for(state="visible")
    page.locator(".segment .time").nth(3).click()
    assert page.locator(".segment.now").get_attribute("id") == "g3"


def test_a_recording_elsewhere_is_not_asked_for(open_page: Open) -> None:
    opened = open_page(html.write(dialogue_call("en"), "https://example.invalid/a.wav"))
    opened.page.locator("#no-sound").wait_for(state="visible")
    assert any("violates the following Content Security Policy" in one for one in opened.complaints)


def test_on_paper_everything_is_open_and_nothing_of_the_screen_is_left(open_page: Open) -> None:
    page = open_page(html.write(dialogue_call("en"), "./gone.wav")).page
    page.locator("summary", has_text="Empathy").click()
    before = page.evaluate("[...document.querySelectorAll('details')].map((one) => [one.open, one.name])")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("[...document.querySelectorAll('details')].every((one) => one.open)")
    assert not page.locator("audio").is_visible()
    assert not page.locator("#query").is_visible()
    assert page.locator(".proofs a", has_text="I apologise").is_visible()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("[...document.querySelectorAll('details')].map((one) => [one.open, one.name])") == before


def test_an_address_can_name_a_sentence(open_page: Open) -> None:
    page = open_page(html.write(dialogue_call("en")), anchor="#g12s1").page
    assert page.locator(".shown").text_content() == "I apologise for the wrong information."
    assert is_in_sight(page, ".shown")


def test_a_call_of_two_hours_stays_quick(open_page: Open) -> None:
    """2,000 segments, 20,000 words. The quickest of several is judged, so that a busy machine does not fail it."""
    opened = open_page(html.write(long_call(hours=2.0, segments=2000, words=10)))
    page = opened.page
    assert page.locator(".w").count() == 20_000
    took_ms = [seek_ms(page, 7200 * part / 11) for part in (7, 2, 10, 4, 9, 1, 6, 3)]
    print(f"seek: {min(took_ms):.0f} to {max(took_ms):.0f} ms")  # noqa: T201
    assert min(took_ms) < SEEK_MS
    assert is_in_sight(page, ".segment.now")
    page.locator("#query").fill("number-1234.")
    wait_until(page, "document.getElementById('hits').textContent === '1 / 1'")
    assert is_in_sight(page, ".segment.hit")
    assert opened.is_clean()


def wait_until(page: Page, expression: str) -> None:
    """Until it is true: the page's policy forbids the evaluation by which playwright itself would wait."""
    deadline_s = monotonic() + PATIENCE_S
    while not page.evaluate(expression):
        assert monotonic() < deadline_s, f"it never came true: {expression}"
        page.wait_for_timeout(20)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and writes no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is its parent's
        pass


def seek_ms(page: Page, time_s: float) -> float:
    """From the call of `seek` until the second frame after it is drawn."""
    return float(
        page.evaluate(
            """(time) => new Promise((done) => {
              const began = performance.now();
              seek(time);
              requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
            })""",
            time_s,
        )
    )


def is_in_sight(page: Page, selector: str) -> bool:
    """Whether an element is on the screen once scrolling has settled, and not under the toolbar."""
    return bool(
        page.evaluate(
            """(selector) => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
              const box = document.querySelector(selector).getBoundingClientRect();
              const [x, y] = [box.left + Math.min(box.width / 2, 40), box.top + box.height / 2];
              const middle = document.elementFromPoint(x, y);
              done(box.top >= 0 && box.bottom <= innerHeight && Boolean(middle?.closest(".segment")));
            })))""",
            selector,
        )
    )


def tone(file: Path, seconds: float) -> None:
    """A hum of that length."""
    hum = array("h", (int(3000 * math.sin(at * 0.3)) for at in range(RATE_HZ)))
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(hum.tobytes() * math.ceil(seconds))
