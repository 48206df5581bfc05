"""Results read in parts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.report.many_calls import results, write_results

from callscope.call import Call
from callscope.report.json import write
from callscope.report.overview import gathering
from callscope.report.overview.brief import Brief, NoResult, brief_of
from callscope.report.overview.gathering import gathered
from callscope.report.overview.reading import parts, read_part


def read(file: Path, beside: Path, part_bytes: int = 2**20) -> list[Brief]:
    answers = [read_part(part) for part in parts(file, beside, part_bytes)]
    assert not any(answer.faults for answer in answers)
    return [brief for answer in answers for brief in answer.briefs]


def test_a_real_result_is_read(tmp_path: Path, example_call: Call) -> None:
    file = tmp_path / "a.json"
    file.write_text(write(example_call), encoding="utf-8")
    (found,) = read(file, tmp_path)
    assert found.figures["duration"] == pytest.approx(59.999)
    assert found.figures["agent_share"] == pytest.approx(example_call.metrics.roles.agent.share_of_speech)  # type: ignore[union-attr]
    assert found.figures["empathy_ratio"] is None
    assert found.degraded == ("sentiment",)
    assert found.link is None


def test_a_page_beside_the_result_is_linked(tmp_path: Path) -> None:
    write_results(tmp_path, 2)
    assert read(tmp_path / "0000.json", tmp_path.parent)[0].link == f"{tmp_path.name}/0000.html"
    assert read(tmp_path / "0001.json", tmp_path)[0].link is None


def test_links_are_references_whatever_the_name(tmp_path: Path) -> None:
    name = os.fsdecode(b"a&b #1? \xff:x")
    (tmp_path / f"{name}.json").write_text(json.dumps(results(1)[0]))
    (tmp_path / f"{name}.html").write_text("")
    assert read(tmp_path / f"{name}.json", tmp_path)[0].link == "a%26b%20%231%3F%20%FF%3Ax.html"


@settings(deadline=None, max_examples=40)  # it reads files
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(50, 6000), st.booleans())
def test_lines_cut_anywhere_are_each_read_once(
    tmp_path_factory: pytest.TempPathFactory, ends: list[bool], part_bytes: int, last: bool
) -> None:
    made = results(len(ends))
    breaks = ["\r\n" if windows else "\n\n" for windows in ends]
    text = "".join(json.dumps(one, ensure_ascii=False) + end for one, end in zip(made, breaks, strict=True))
    file = tmp_path_factory.mktemp("lines") / "all.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + (text if last else text.rstrip()).encode())
    sources = [brief.source for brief in read(file, file.parent, part_bytes)]
    assert sources == [one["call"]["source"] for one in made]


@pytest.mark.parametrize("part_bytes", range(1, 16))
def test_a_part_that_begins_or_ends_with_a_line_loses_none(tmp_path: Path, part_bytes: int) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text("1\n22\n333\n\n4444\n1\n1")
    answers = [read_part(part) for part in parts(file, tmp_path, part_bytes)]
    assert sum(answer.lines for answer in answers) == 7
    assert sum(len(answer.faults) for answer in answers) == 6


def test_breaks_within_texts_end_no_line(tmp_path: Path) -> None:
    (one,) = results(1)
    one["call"]["metadata"]["note"] = "a\u2028b\u0085c"
    file = tmp_path / "all.jsonl"
    file.write_text(json.dumps(one, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read(file, tmp_path)[0].metadata["note"] == "a\u2028b\u0085c"


def test_a_bad_line_is_named_by_its_number_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [json.dumps(one) for one in results(9)]
    lines[7] = "{}"
    file = tmp_path / "all.jsonl"
    file.write_text("\n".join(lines))
    monkeypatch.setattr(gathering, "parts", lambda file, beside: parts(file, beside, 700))
    found = list(gathered([file], tmp_path))
    assert [one.place for one in found if not isinstance(one, Brief)] == [f"{file}, line 8"]
    assert len(found) == 9


def test_several_processes_read_the_same_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_results(tmp_path, 20)
    (folder / "0003.json").write_text("{}")
    files = sorted(folder.glob("*.json"))
    alone = list(map(str, gathered(files, folder)))
    monkeypatch.setattr(gathering, "FILES", 2)
    assert list(map(str, gathered(files, folder))) == alone


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ("\ufffd", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"schema_version": NaN}', "no JSON"),
        ("[]", "no schema_version"),
        ('{"schema_version": "9.0"}', "9.0"),
        ('{"schema_version": "1.0"}', "missing"),
        ('{"schema_version": "1.0", "call": 3, "processing": 3, "metrics": 3}', "another type"),
    ],
)
def test_what_is_no_result_is_said_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(NoResult, match=why):
        brief_of(text.encode(), None)


def broken(*path: str, value: object) -> dict[str, Any]:
    (one,) = results(1)
    inner = one
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return one


@pytest.mark.parametrize(
    "result",
    [
        broken("call", "duration", value="12"),
        broken("call", "duration", value=True),
        broken("call", "source", value=None),
        broken("call", "metadata", value=[]),
        broken("processing", "created_at", value="yesterday"),
        broken("processing", "degraded", value=[3]),
        broken("metrics", "roles", value=None),
        broken("metrics", "non_talk", value=None),
        broken("quality", "empathy_ratio", value=[]),
    ],
)
def test_a_field_of_another_type_is_no_result(result: dict[str, Any]) -> None:
    with pytest.raises(NoResult):
        brief_of(json.dumps(result).encode(), None)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for name in ("none.json", "none.jsonl"):
        (fault,) = gathered([tmp_path / name], tmp_path)
        assert "cannot be read" in str(fault)


def test_the_date_is_that_of_the_metadata_else_that_of_the_analysis() -> None:
    (one,) = results(1)
    one["call"]["metadata"] = {"date": "soon", "started_at": "2026-01-02T10:00:00+09:00"}
    assert brief_of(json.dumps(one).encode(), None).date.isoformat() == "2026-01-02T10:00:00+09:00"
    one["call"]["metadata"] = {}
    assert brief_of(json.dumps(one).encode(), None).date.isoformat() == one["processing"]["created_at"]
