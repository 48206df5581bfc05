"""Turns: same speaker, gap under 3 s."""

from hypothesis import given
from hypothesis import strategies as st

from callscope.analysis.turns import build_turns, held_before
from callscope.call import Segment


def say(speaker: str, start_s: float, end_s: float) -> Segment:
    return Segment(f"{speaker}-{start_s:g}", start_s, end_s, speaker, 0, "words", "words")


def spans(*segments: Segment) -> list[tuple[str, float, float]]:
    return [(turn.speaker, turn.start_s, turn.end_s) for turn in build_turns(segments)]


def test_segments_of_one_speaker_less_than_three_seconds_apart_are_one_turn() -> None:
    assert spans(say("A", 0, 2), say("A", 4.9, 6)) == [("A", 0, 6)]


def test_a_gap_of_three_seconds_begins_a_new_turn() -> None:
    assert spans(say("A", 0, 2), say("A", 5, 6)) == [("A", 0, 2), ("A", 5, 6)]


def test_another_speaker_in_the_gap_begins_a_new_turn() -> None:
    assert spans(say("A", 0, 2), say("B", 2.2, 2.8), say("A", 3, 4)) == [("A", 0, 2), ("B", 2.2, 2.8), ("A", 3, 4)]


def test_a_word_inside_anothers_speech_does_not_divide_it() -> None:
    assert spans(say("A", 0, 8), say("B", 5, 6), say("A", 8, 12)) == [("A", 0, 12), ("B", 5, 6)]


def test_a_turn_names_its_segments_in_order() -> None:
    (turn,) = build_turns([say("A", 3, 4), say("A", 0, 2)])
    assert turn.segments == ("A-0", "A-3")


def test_no_segments_are_no_turns() -> None:
    assert build_turns([]) == ()


def test_the_floor_was_held_by_the_turn_that_ended_last() -> None:
    turns = build_turns([say("A", 0, 10), say("B", 4, 5), say("A", 20, 22)])
    assert held_before(turns, turns[-1]) == turns[0]
    assert held_before(turns, turns[0]) is None


segments = st.lists(
    st.tuples(st.sampled_from("AB"), st.floats(0, 60), st.floats(0.01, 9)).map(
        lambda drawn: say(drawn[0], drawn[1], drawn[1] + drawn[2])
    ),
    max_size=25,
)


@given(segments)
def test_every_segment_is_in_exactly_one_turn_of_its_speaker_and_within_its_times(drawn: list[Segment]) -> None:
    numbered = [Segment(str(n), s.start_s, s.end_s, s.speaker, 0, "", "") for n, s in enumerate(drawn)]
    turns = build_turns(numbered)
    by_id = {segment.id: segment for segment in numbered}
    assert sorted(name for turn in turns for name in turn.segments) == sorted(by_id)
    for turn in turns:
        members = [by_id[name] for name in turn.segments]
        assert {segment.speaker for segment in members} == {turn.speaker}
        assert turn.start_s == min(segment.start_s for segment in members)
        assert turn.end_s == max(segment.end_s for segment in members)
    assert [turn.start_s for turn in turns] == sorted(turn.start_s for turn in turns)
