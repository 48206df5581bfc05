from __future__ import annotations

from collections.abc import Callable

import pytest

from callscope.transcripts.transcript import Transcript

Read = Callable[..., Transcript]
Refused = Callable[..., str]
Said = Callable[[Transcript], list[tuple[float, float, str | None, str]]]

TABLE = 'start,end,speaker,text\n1.5,2.25,Agent,"Hello, there"\n2,3,Customer,Hi\n'
SAID = [(1.5, 2.25, "Agent", "Hello, there"), (2.0, 3.0, "Customer", "Hi")]


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.replace("\n", "\r\n"),
        'Start Time (s);End Time (s);Participant;Transcript\n1,5;2,25;Agent;"Hello, there"\n2;3;Customer;Hi\n',
        "start_ms\tend_ms\tspeaker\tutterance\n1500\t2250\tAgent\tHello, there\n2000\t3000\tCustomer\tHi\n",
        '시작,종료,화자,내용\n0:01.5,0:02.25,Agent,"Hello, there"\n\n00:00:02,00:00:03,Customer,Hi\n',
        '開始,終了,話者,発話内容\n1.5,2.25,Agent,"Hello, there"\n2,3,Customer,Hi\n',
        'begin,duration,name,sentence,mood\n1.5,0.75,Agent,"Hello, there",fine\n2,1,Customer,Hi,\n',
    ],
)
def test_columns_are_known_by_their_usual_names(read: Read, said: Said, table: str) -> None:
    assert said(read("a.csv", table)) == SAID


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_unicode_encoding_is_known_by_itself(read: Read, said: Said, encoding: str) -> None:
    table = TABLE.replace("Hi", '"네, 알겠습니다"')
    assert said(read("a.csv", table.encode(encoding)))[1] == (2.0, 3.0, "Customer", "네, 알겠습니다")


@pytest.mark.parametrize(("text", "encoding"), [("상담원이 말합니다", "cp949"), ("担当者です", "cp932")])
def test_other_encodings_are_asked_for_and_then_read(read: Read, refused: Refused, text: str, encoding: str) -> None:
    table = TABLE.replace("Hi", text).encode(encoding)
    assert "--encoding" in refused("a.csv", table)
    assert ", line 3: " in refused("a.csv", table)
    assert read("a.csv", table, encoding).cues[1].text == text


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("speaker,text\nAgent,Hello\n", "no start and no end"),
        ("start,speaker,text\n1,Agent,Hello\n", "no end in the heading"),
        ("start,end,speaker\n1,2,Agent\n", "no text"),
        ("Agent,1,2,Hello\n", "heading"),
        (TABLE.replace("\n2,", "\n,"), "line 3: its start is not told"),
        (TABLE.replace("\n2,3,", "\n2,,"), "line 3: its end is not told"),
        (TABLE.replace("\n2,3,", "\n2,-3,"), "line 3: its end lies before the call"),
        (TABLE.replace("\n2,3,", "\n4,3,"), "line 3: it ends at 3 s, before"),
        (TABLE + "3,4,Agent,a,b\n", "line 4: this row has 5 cells"),
        (TABLE + "3,4\n", "line 4: it has no text"),
        ("call,start,end,text\na,1,2,x\nb,1,2,y\n", "line 3: another call"),
        ("", "heading"),
    ],
)
def test_what_is_missing_is_told_and_never_made_up(refused: Refused, table: str, words: str) -> None:
    assert words in refused("a.csv", table)
