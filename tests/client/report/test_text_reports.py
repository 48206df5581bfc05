"""The reports people read: plain text and tables."""

from dataclasses import replace

from callscope.call import Call, Speaker
from callscope.report import WRITERS, table, txt


def test_plain_text_has_a_line_a_segment_with_time_speaker_and_words(example_call: Call) -> None:
    assert txt.write(example_call).splitlines() == [
        " 0:00.5  Agent     Hello. ".rstrip(),
        " 0:03.0  Customer  [b]My phone is broken.",
        " 0:10.0  Agent     네, 알겠습니다.",
    ]


def test_a_speaker_of_unknown_role_is_called_by_id(example_call: Call) -> None:
    call = replace(example_call, speakers=(Speaker("S1"), Speaker("S2")))
    assert txt.speaker_labels(call) == {"S1": "S1", "S2": "S2"}


def test_two_speakers_of_one_role_are_told_apart(example_call: Call) -> None:
    call = replace(example_call, speakers=(Speaker("S1", "agent"), Speaker("S2", "agent")))
    assert txt.speaker_labels(call) == {"S1": "S1", "S2": "S2"}


def test_the_table_shows_the_conversation_with_its_sentiment_and_the_measures(example_call: Call) -> None:
    shown = table.write(example_call)
    for expected in (
        "calls/a.wav",
        "Agent",
        "[b]My phone is broken.",
        "negative -0.62",
        "네, 알겠습니다.",
        "talk time",
    ):
        assert expected in shown


def test_the_table_says_what_fell_back_and_shows_no_zero_for_what_cannot_be_known(example_call: Call) -> None:
    shown = table.write(example_call)
    assert "Fell back: sentiment." in shown
    (row,) = [line for line in shown.splitlines() if "sentiment trend" in line]
    assert row.split()[2:] == ["-", "-"]


def test_a_call_without_speech_says_so_in_every_readable_form(silent_call: Call) -> None:
    assert txt.write(silent_call) == "No speech.\n"
    assert "No speech." in table.write(silent_call)


def test_no_line_has_trailing_blanks_and_every_document_ends_with_one_newline(example_call: Call) -> None:
    for writer in WRITERS.values():
        document = writer(example_call)
        assert document.endswith("\n")
        assert not document.endswith("\n\n")
        assert not [line for line in document.splitlines() if line != line.rstrip()]


def test_a_figure_that_rounds_to_zero_has_no_minus() -> None:
    assert table._number(-0.001, 2, sign="+") == "+0.00"
    assert table._number(-0.4, 0) == "0"
