"""`callscope report`, its page, and the texts of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.client.report.many_calls import STRANGE, results, write_results
from tests.client.store.conftest import make_call
from typer.testing import CliRunner

from callscope.cli import app
from callscope.report.html.texts import LANGUAGES
from callscope.report.overview.brief import Brief, brief_of
from callscope.report.overview.page import render, texts
from callscope.store.sql import open_store


def run(*arguments: object) -> tuple[int, str]:
    outcome = CliRunner().invoke(app, ["report", *map(str, arguments)])
    return outcome.exit_code, " ".join(outcome.output.split())


def briefs(count: int = 300) -> list[Brief]:
    return [brief_of(json.dumps(one).encode(), None) for one in results(count)]


def section(page: str, heading: str) -> str:
    """The text of the section under a heading, without its tags."""
    found = next(part for part in page.split("<section") if f'id="{heading}"' in part)
    return " ".join(re.sub(r"<[^>]*>", " ", found).split())


def test_the_command_makes_a_page_of_a_folder(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 40)
    code, said = run(folder, "--output", tmp_path / "all.html", "--title", "March <b>")
    assert (code, "40 calls" in said) == (0, True)
    page = (tmp_path / "all.html").read_text("utf-8")
    assert "March &lt;b&gt;" in page
    assert f"{STRANGE:04}.wav" in page


def test_the_command_makes_a_page_of_a_store(tmp_path: Path) -> None:
    place = tmp_path / "calls.db"
    store = open_store(str(place))
    store.put(make_call(number, f"2026-01-{number:02}T00:00:00+00:00") for number in range(1, 29))
    store.close()
    code, said = run("--store", place, "--since", "2026-01-15", "--output", tmp_path / "all.html")
    assert (code, "14 calls" in said) == (0, True)
    page = (tmp_path / "all.html").read_text("utf-8")
    assert '"15.wav"' in page
    assert '"14.wav"' not in page
    code, said = run("--store", tmp_path / "none.db", "--output", tmp_path / "none.html")
    assert (code, "there is no such file" in said) == (4, True)
    assert not (tmp_path / "none.db").exists()


def test_a_bad_file_is_reported_in_a_sentence_and_the_others_count(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 5)
    (folder / "bad.json").write_text("{}")
    code, said = run(folder, "-o", tmp_path / "all.html")
    assert code == 3
    assert said.count("bad.json is no result") == 1
    assert "5 calls" in said


def test_bad_lines_are_told_once_a_file_and_the_others_count(tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in results(4)]
    file = tmp_path / "all.jsonl"
    file.write_text("\n".join([lines[0], "{", *lines[1:3], "[]", "3", lines[3]]), encoding="utf-8")
    code, said = run(file, "-o", tmp_path / "all.html")
    assert code == 3
    assert "all.jsonl, line 2 is no result" in said
    assert "nor are 2 other lines" in said
    assert said.count("no result") == 1
    assert "4 calls" in said


def test_files_without_any_result_make_no_page(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    assert run(tmp_path / "bad.json", "-o", tmp_path / "all.html")[0] == 3
    (tmp_path / "empty.jsonl").write_text("")
    assert run(tmp_path / "empty.jsonl", "-o", tmp_path / "all.html")[0] == 2
    assert not (tmp_path / "all.html").exists()


def test_dates_narrow_the_page(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 40)
    code, said = run(folder, "-o", tmp_path / "all.html", "--since", "2026-03-03", "--until", "2026-03-04")
    assert code == 0
    assert "all.html: 8 calls" in said
    assert run(folder, "-o", tmp_path / "all.html", "--since", "2030-01-01")[0] == 2


def test_a_recording_counts_once_by_its_last_result(tmp_path: Path) -> None:
    (old,) = results(1)
    new = json.loads(json.dumps(old))
    new["processing"]["created_at"], new["call"]["duration"] = "2026-05-01T00:00:00+00:00", 7200.0
    for name, one in (("a", new), ("b", old)):
        (tmp_path / f"{name}.json").write_text(json.dumps(one))
    code, said = run(tmp_path, "-o", tmp_path / "all.html")
    assert (code, "newer one of the same recording: 1." in said, "all.html: 1 calls" in said) == (0, True, True)
    assert "<dd>2.0</dd>" in (tmp_path / "all.html").read_text("utf-8")


def test_the_texts_have_the_same_keys_and_places_in_each_language() -> None:
    places = {
        language: {key: set(re.findall(r"\{\w+\}", text)) for key, text in texts(language).items()}
        for language in LANGUAGES
    }
    assert places["en"] == places["ja"] == places["ko"]


def test_words_of_different_languages_are_never_in_one_histogram() -> None:
    page = render(briefs(), language="en")
    heads = [re.sub(r"<[^>]*>|\n", "", head) for head in re.findall(r"<figcaption>(.*?)</figcaption>", page, re.S)]
    words = [head.split("Median")[0].strip() for head in heads if head.startswith("Words a minute")]
    assert words == ["Words a minute English", "Words a minute Korean"]
    assert sum(head.startswith("Characters a minute") for head in heads) == 3


def test_what_a_call_does_not_have_is_counted_as_not_available() -> None:
    some = briefs()
    unknown = sum(one.figures["latency"] is None for one in some)
    assert 20 < unknown < 100
    assert f"Not available in {unknown} calls." in section(render(some, language="en"), "spread")


def test_the_strange_call_stands_apart_with_its_value_and_the_median() -> None:
    found = section(render(briefs(), language="en"), "apart")
    assert re.search(r"0017\.wav Length 90\.0 min \d\.\d min \+\d+\.\d", found)
    assert re.search(r"0017\.wav Non-talk 90 % 1\d % \+\d+\.\d", found)


def test_agents_and_queues_are_compared_and_tickets_are_not() -> None:
    page = render(briefs(), language="en")
    assert "By agent (medians)" in section(page, "by-1")
    assert "By queue (medians)" in section(page, "by-2")
    assert 'id="by-3"' not in page


def test_hostile_names_stay_text() -> None:
    (told,) = results(1)
    told["call"]["source"] = "</script><script>alert(1)</script>\u202e.wav"
    told["call"]["language"] = "<b>xx</b>"
    told["call"]["metadata"] = {"team": "<img src=x onerror=alert(1)>", "<i>": "{count}"}
    told["processing"]["degraded"] = ["<u>step</u>"]
    hostile = brief_of(json.dumps(told).encode(), None)
    page = render([hostile, hostile], title="<script>alert(2)</script>")
    for tag in ("<script>alert", "<img", "<b>", "<i>", "<u>", "\u202e"):
        assert tag not in page


@pytest.mark.parametrize("count", [1, 2])
def test_few_calls_make_a_page_too(count: int) -> None:
    page = render(briefs(count), language="ko")
    assert f"<dd>{count}</dd>" in page
    assert 'id="apart"' not in page


def test_calls_without_any_figure_make_a_page() -> None:
    (one,) = briefs(1)
    bare = Brief(one.id, "", one.date, one.created, None, False, (), None, dict.fromkeys(one.figures))
    assert "<figure" not in render([bare, bare])
