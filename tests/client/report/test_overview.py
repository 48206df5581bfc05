from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.report.many_calls import STRANGE, write_results
from typer.testing import CliRunner

from callscope.call import Call
from callscope.cli import app
from callscope.report.html.texts import LANGUAGES
from callscope.report.json import write
from callscope.report.overview.brief import Brief, ResultInvalid, read_briefs
from callscope.report.overview.page import render, texts
from callscope.report.overview.statistics import distribution, groups, outliers, periods


def run(*arguments: object) -> tuple[int, str]:
    outcome = CliRunner().invoke(app, ["report", *map(str, arguments)])
    return outcome.exit_code, outcome.output


def brief(**figures: float | None) -> Brief:
    return Brief("a.wav", datetime(2026, 1, 2, tzinfo=UTC), "en", True, (), None, figures)


def test_a_real_result_is_read(tmp_path: Path, example_call: Call) -> None:
    file = tmp_path / "a.json"
    file.write_text(write(example_call), encoding="utf-8")
    (found,) = read_briefs(file, tmp_path)
    assert found.figures["duration"] == pytest.approx(59.999)
    assert found.figures["agent_share"] == pytest.approx(example_call.metrics.roles.agent.share_of_speech)  # type: ignore[union-attr]
    assert found.figures["empathy_ratio"] is None
    assert found.degraded == ("sentiment",)
    assert found.link is None


def test_a_page_beside_the_result_is_linked(tmp_path: Path) -> None:
    write_results(tmp_path, 2)
    assert next(read_briefs(tmp_path / "0000.json", tmp_path.parent)).link == f"{tmp_path.name}/0000.html"
    assert next(read_briefs(tmp_path / "0001.json", tmp_path)).link is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no schema_version"),
        ("[]", "no schema_version"),
        ('{"schema_version": "9.0"}', "9.0"),
        ('{"schema_version": "1.0"}', "missing"),
        ('{"schema_version": "1.0", "call": 3}', "missing"),
        ("[" * 100_000, "no schema_version"),
    ],
)
def test_what_is_no_result_is_said_in_a_sentence(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ResultInvalid, match=why):
        list(read_briefs(file, tmp_path))


def test_the_command_makes_a_page_of_a_folder(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 40)
    code, said = run(folder, "--output", tmp_path / "all.html", "--title", "March <b>")
    assert (code, "40 calls" in said) == (0, True)
    page = (tmp_path / "all.html").read_text("utf-8")
    assert "March &lt;b&gt;" in page
    assert f"{STRANGE:04}.wav" in page


def test_a_bad_file_is_reported_and_the_others_count(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 5)
    (folder / "bad.json").write_text("{}")
    code, said = run(folder, "-o", tmp_path / "all.html")
    assert code == 3
    assert "bad.json is no result" in said
    assert "5 calls" in said


def test_dates_narrow_the_page(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 40)
    code, said = run(folder, "-o", tmp_path / "all.html", "--since", "2026-03-03", "--until", "2026-03-04")
    assert code == 0
    assert "8 calls" in said or "7 calls" in said
    assert run(folder, "-o", tmp_path / "all.html", "--since", "2030-01-01")[0] == 2


def test_many_files_are_read_by_several_processes(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 220)
    assert run(folder, "-o", tmp_path / "all.html")[0] == 0


def test_the_texts_have_the_same_keys_in_each_language() -> None:
    keys = {language: set(texts(language)) for language in LANGUAGES}
    assert keys["en"] == keys["ja"] == keys["ko"]


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=60))
def test_each_value_is_in_one_bar(values: list[float | None]) -> None:
    spread = distribution(values)
    held = [call for bar in spread.bins for call in bar.calls]
    assert sorted(held) == [call for call, value in enumerate(values) if value is not None]
    assert spread.without == values.count(None)
    assert len(spread.bins) <= 18
    for bar in spread.bins:
        width = bar.high - bar.low
        assert all(bar.low - width * 1e-6 <= (values[call] or 0.0) <= bar.high + width * 1e-6 for call in bar.calls)


def test_a_call_that_stands_apart_is_told_and_others_are_not() -> None:
    values = [10.0, 11, 12, 10, 11, 12, 9, 10, 11, None, 60]
    assert [(one.call, one.value) for one in outliers({"latency": values})] == [(10, 60)]
    assert not outliers({"latency": values[:9]})
    assert not outliers({"latency": [1.0] * 20 + [2.0]})


def test_courses_go_by_day_and_over_long_spans_by_week() -> None:
    days = [replace(brief(latency=float(day)), date=datetime(2026, 1, day, 12, tzinfo=UTC)) for day in (1, 1, 3)]
    assert [(one.start.day, one.count, one.median) for one in periods(days, "latency")] == [(1, 2, 1.0), (3, 1, 3.0)]
    weeks = [*days, replace(brief(latency=None), date=datetime(2026, 6, 1, tzinfo=UTC))]
    assert [(one.start.isoformat()[:10], one.count) for one in periods(weeks, "latency")] == [("2025-12-29", 3)]


def test_calls_are_compared_by_what_several_of_them_share() -> None:
    calls = [replace(brief(), metadata={"team": team, "id": str(place)}) for place, team in enumerate("AABB")]
    assert groups(calls) == {"team": {"A": (0, 1), "B": (2, 3)}}


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    folder = write_results(tmp_path, 1)
    told = json.loads((folder / "0000.json").read_text("utf-8"))
    told["call"]["source"] = "</script><script>alert(1)</script>\u202e.wav"
    told["call"]["metadata"]["team"] = "<img src=x onerror=alert(1)>"
    (folder / "0000.json").write_text(json.dumps(told))
    page = render(list(read_briefs(folder / "0000.json", folder)))
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
