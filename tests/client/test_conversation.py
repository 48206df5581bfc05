"""Overlaps and interruptions as they are defined, against the one pass that finds them."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from callscope.call import Segment, Speaker
from callscope.conversation import Conversation, study
from callscope.settings import Settings
from callscope.steps import Record
from callscope.triton.text_models import TextModels

NAMES = ("a", "b", "c")
HALVES = st.integers(min_value=0, max_value=30).map(lambda half: half / 2)


@st.composite
def spoken(draw: st.DrawFn) -> list[Segment]:
    """Segments of three speakers in order of start; many touch, some have no length."""
    pairs = draw(st.lists(st.tuples(HALVES, st.sampled_from((0.0, 0.25, 0.5, 1.0, 3.0, 7.5))), max_size=15))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=len(pairs), max_size=len(pairs)))
    return [
        Segment(f"seg-{number}", start_s, start_s + length_s, name, 0, "I think so.", "", language="en")
        for number, ((start_s, length_s), name) in enumerate(zip(sorted(pairs), names, strict=True))
    ]


def studied(segments: list[Segment]) -> Conversation:
    speakers = [Speaker(name) for name in NAMES]
    end_s = max((segment.end_s for segment in segments), default=0.0)
    return asyncio.run(study(segments, speakers, end_s, models=TextModels(), settings=Settings(), record=Record()))


@settings(max_examples=200, deadline=None)
@given(segments=spoken())
def test_a_segment_overlaps_whenever_another_speaker_is_heard_in_it(segments: list[Segment]) -> None:
    expected = [
        any(
            one.speaker != other.speaker and one.start_s < other.end_s and other.start_s < one.end_s
            for other in segments
        )
        for one in segments
    ]
    assert [segment.overlap for segment in studied(segments).segments] == expected


@settings(max_examples=200, deadline=None)
@given(segments=spoken())
def test_overlapping_time_is_what_two_or_more_fill(segments: list[Segment]) -> None:
    step_s = 0.25  # every edge is a multiple of it
    end_s = max((segment.end_s for segment in segments), default=0.0)
    filled = [
        len({one.speaker for one in segments if one.start_s <= at * step_s < one.end_s}) > 1
        for at in range(round(end_s / step_s))
    ]
    found = studied(segments).metrics.overlap
    assert found.total_s == sum(filled) * step_s
    assert found.count == sum(now and not before for before, now in zip([False, *filled], filled, strict=False))


@settings(max_examples=200, deadline=None)
@given(segments=spoken())
def test_interruptions_are_those_of_the_measures(segments: list[Segment]) -> None:
    conversation = studied(segments)
    found = conversation.metrics.interruptions.instances
    named = {name for interruption in found for name in interruption.segments}
    assert [segment.interruption for segment in conversation.segments] == [one.id in named for one in segments]
    for one in found:
        assert one.speaker != one.interrupted
        heard = [other for other in segments if other.speaker == one.interrupted]
        assert any(other.start_s < one.start_s for other in heard)
        assert any(other.end_s - one.start_s >= 0.5 for other in heard)
