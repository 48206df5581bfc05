"""The conversation measures, each against a call small enough to work out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.analysis.measures import Measures
from callscope.analysis.talk import measure
from callscope.call import Role, Segment, Sentence, Sentiment, Speaker

ROLES: dict[str, Role] = {"A": "agent", "C": "customer"}


def people(**roles: Role) -> list[Speaker]:
    return [Speaker(name, role, "channel" if role != "unknown" else None) for name, role in roles.items()]


def say(
    speaker: str,
    start_s: float,
    end_s: float,
    text: str = "well then",
    *,
    language: str = "en",
    score: float | None = None,
) -> Segment:
    feeling = None if score is None else Sentiment("neutral", score, {"neutral": 1.0})
    return Segment(
        f"{speaker}-{start_s:g}", start_s, end_s, speaker, 0, text, text.lower(), language, sentiment=feeling
    )


def measured(*segments: Segment, duration_s: float = 100.0, non_talk_s: float = 3.0) -> Measures:
    return measure(segments, people(**ROLES), duration_s, non_talk_s=non_talk_s)


def test_talk_time_counts_a_speakers_overlapping_segments_once() -> None:
    found = measured(say("A", 0, 10), say("A", 8, 12), say("C", 20, 24))
    assert found.speakers["A"].talk_time_s == 12
    assert found.speakers["A"].share_of_speech == pytest.approx(0.75)
    assert found.speakers["A"].share_of_call == pytest.approx(0.12)


def test_the_role_has_the_measures_of_its_speaker() -> None:
    found = measured(say("A", 0, 10), say("C", 20, 24))
    assert found.roles.agent == found.speakers["A"]
    assert found.roles.customer == found.speakers["C"]
    assert found.task_ratio == pytest.approx(0.4)


def test_an_unknown_role_has_no_measures_and_is_never_guessed() -> None:
    found = measure([say("A", 0, 10), say("C", 20, 24)], people(A="unknown", C="unknown"), 100)
    assert (found.roles.agent, found.roles.customer) == (None, None)
    assert (found.task_ratio, found.response_latency) == (None, None)
    assert (found.interruptions.agent, found.interruptions.customer) == (None, None)
    assert found.speakers["A"].talk_time_s == 10


def test_with_only_the_agent_known_what_needs_both_roles_is_null() -> None:
    found = measure([say("A", 0, 10), say("C", 20, 24)], people(A="agent", C="unknown"), 100)
    assert found.roles.agent is not None
    assert (found.task_ratio, found.response_latency) == (None, None)


def test_words_and_characters_a_minute_are_over_the_speakers_own_talk_time() -> None:
    agent = measured(say("A", 0, 6, "Yes, I can help - of course.")).speakers["A"]
    assert (agent.words, agent.characters) == (6, 19)
    assert agent.words_per_minute == pytest.approx(60)
    assert agent.characters_per_minute == pytest.approx(190)


def test_japanese_has_characters_and_no_words() -> None:
    agent = measured(say("A", 0, 6, "お電話、ありがとう。", language="ja")).speakers["A"]
    assert (agent.words, agent.words_per_minute, agent.characters) == (None, None, 8)


def test_decomposed_korean_counts_syllables() -> None:
    decomposed = "\u1102\u1166 \u1106\u1161\u11bd\u110b\u1161\u110b\u116d"
    agent = measured(say("A", 0, 6, decomposed, language="ko")).speakers["A"]
    assert (agent.words, agent.characters) == (2, 4)


def test_non_talk_is_silence_longer_than_the_threshold_in_which_nobody_speaks() -> None:
    found = measured(say("A", 1, 10), say("C", 13, 20), say("A", 24.5, 30), duration_s=34).non_talk
    assert [(gap.start_s, gap.end_s) for gap in found.instances] == [(20, 24.5), (30, 34)]
    assert (found.total_s, found.count, found.longest_s, found.threshold_s) == (8.5, 2, 4.5, 3.0)


def test_a_silence_exactly_as_long_as_the_threshold_is_not_non_talk() -> None:
    assert measured(say("A", 0, 10), say("C", 13, 20), duration_s=20).non_talk.count == 0


def test_the_silence_is_stored_and_not_the_threshold() -> None:
    found = measured(say("A", 0, 10), say("C", 17, 20), duration_s=20, non_talk_s=5).non_talk
    assert (found.instances[0].duration_s, found.threshold_s) == (7, 5)


def test_overlap_is_counted_once_and_names_who_spoke() -> None:
    found = measured(say("A", 0, 10), say("C", 8, 12), say("C", 11, 13)).overlap
    assert [(o.start_s, o.end_s, o.speakers) for o in found.instances] == [(8, 10, ("A", "C"))]
    assert found.total_s == 2
    assert found.share_of_speech == pytest.approx(2 / 13)


def test_starting_half_a_second_before_the_other_ends_interrupts() -> None:
    found = measured(say("A", 0, 10), say("C", 9.5, 12)).interruptions
    assert (found.count, found.agent, found.customer) == (1, 0, 1)
    (instance,) = found.instances
    assert (instance.start_s, instance.end_s, instance.speaker, instance.interrupted) == (9.5, 10, "C", "A")
    assert instance.segments == ("C-9.5",)


def test_starting_later_than_that_does_not() -> None:
    assert measured(say("A", 0, 10), say("C", 9.6, 12)).interruptions.count == 0


@pytest.mark.parametrize(
    ("language", "text"),
    [("ko", "네."), ("ko", "예, 예."), ("ja", "はい。"), ("ja", "うん"), ("en", "Uh-huh."), ("en", "Yeah")],
)
def test_a_listeners_word_under_a_second_is_no_interruption(language: str, text: str) -> None:
    assert measured(say("A", 0, 10), say("C", 5, 5.9, text, language=language)).interruptions.count == 0
    assert measured(say("A", 0, 10), say("C", 5, 6, text, language=language)).interruptions.count == 1


def test_a_short_word_that_is_no_listeners_word_interrupts() -> None:
    assert measured(say("A", 0, 10), say("C", 5, 5.9, "No!")).interruptions.count == 1


def test_where_the_recognisers_window_ended_makes_no_difference() -> None:
    whole = measured(say("A", 0, 16), say("C", 7.8, 12)).interruptions
    cut = measured(say("A", 0, 8), say("A", 8, 16), say("C", 7.8, 12)).interruptions
    assert whole == cut
    assert cut.count == 1


def test_going_on_after_a_window_is_no_new_interruption() -> None:
    found = measured(say("A", 0, 10), say("C", 3, 6), say("C", 6, 9)).interruptions
    assert [instance.segments for instance in found.instances] == [("C-3", "C-6")]


def test_response_latency_is_from_the_customers_end_to_the_agents_start() -> None:
    found = measured(say("C", 0, 2), say("A", 3, 5), say("C", 6, 8), say("A", 11, 12)).response_latency
    assert found is not None
    assert (found.count, found.mean_s, found.median_s) == (2, 2, 2)
    assert found.p95_s == pytest.approx(2.9)


def test_an_agent_who_starts_before_the_customer_ends_has_no_latency_there() -> None:
    found = measured(say("C", 0, 4), say("A", 3, 5)).response_latency
    assert found is not None
    assert (found.count, found.mean_s, found.median_s, found.p95_s) == (0, None, None, None)


def test_a_pause_of_the_agents_own_is_no_latency() -> None:
    found = measured(say("A", 0, 10), say("C", 4, 5), say("A", 20, 22)).response_latency
    assert found is not None
    assert found.count == 0


def test_the_longest_monologue_is_the_longest_turn() -> None:
    found = measured(say("A", 0, 5), say("A", 7, 12), say("C", 13, 20)).speakers["A"]
    assert found.turns == 1
    assert found.longest_monologue is not None
    assert (found.longest_monologue.start_s, found.longest_monologue.duration_s) == (0, 12)


def test_questions_are_sentences_that_end_in_a_question_mark() -> None:
    sentences = (Sentence("Is it on? "), Sentence("I see. "), Sentence("いつですか？"))
    asked = Segment("s", 0, 6, "A", 0, "".join(s.text for s in sentences), "", "en", sentences=sentences)
    assert measured(asked).speakers["A"].questions == 2


def test_questions_cannot_be_counted_without_punctuation() -> None:
    found = measure([say("A", 0, 6)], people(**ROLES), 10, punctuated=False)
    assert found.speakers["A"].questions is None


def test_sentiment_runs_from_the_early_half_to_the_late_and_from_the_first_quarter_to_the_last() -> None:
    said = [
        say("C", 5, 15, score=-0.8),
        say("C", 30, 40, score=-0.4),
        say("C", 60, 70, score=0.2),
        say("C", 84, 96, score=0.6),
    ]
    mood = measured(*said).speakers["C"].sentiment
    assert mood is not None
    assert mood.mean == pytest.approx(-0.1)
    assert (mood.early, mood.late, mood.trend) == pytest.approx((-0.6, 0.4, 1.0))
    assert mood.quarters == pytest.approx((-0.8, -0.4, 0.2, 0.6))
    assert mood.change == pytest.approx(1.4)


def test_a_quarter_without_speech_has_no_sentiment_and_then_there_is_no_change() -> None:
    mood = measured(say("C", 30, 40, score=0.5), say("C", 60, 70, score=0.1)).speakers["C"].sentiment
    assert mood is not None
    assert mood.quarters == (None, 0.5, 0.1, None)
    assert mood.change is None


def test_sentiment_is_null_under_two_turns_and_without_scores() -> None:
    assert measured(say("C", 0, 4, score=0.5), say("C", 5, 6, score=0.5)).speakers["C"].sentiment is None
    assert measured(say("C", 0, 4), say("C", 50, 60)).speakers["C"].sentiment is None


def test_a_call_without_speech_is_valid_and_its_ratios_are_null() -> None:
    found = measured(duration_s=20)
    silent = found.speakers["A"]
    assert (silent.talk_time_s, silent.turns, silent.characters, silent.interruptions) == (0, 0, 0, 0)
    assert (silent.share_of_speech, silent.words_per_minute, silent.longest_monologue) == (None, None, None)
    assert (found.speech_s, found.task_ratio, found.overlap.share_of_speech) == (0, None, None)
    assert found.non_talk.total_s == 20


DURATION_S = 60.0
calls = st.lists(
    st.tuples(st.sampled_from("ACX"), st.floats(0, DURATION_S - 1), st.floats(0.01, 1)).map(
        lambda drawn: say(drawn[0], drawn[1], drawn[1] + drawn[2] * (DURATION_S - drawn[1]))
    ),
    max_size=20,
)


@given(calls)
def test_for_any_call_the_measures_keep_their_rules(segments: list[Segment]) -> None:
    found = measure(segments, people(A="agent", C="customer", X="unknown"), DURATION_S, non_talk_s=0)
    shares = [party.share_of_speech for party in found.speakers.values()]
    if found.speech_s > 0:
        assert sum(share for share in shares if share is not None) == pytest.approx(1)
    else:
        assert shares == [None] * 3
    assert found.speech_s + found.non_talk.total_s == pytest.approx(DURATION_S)
    assert found.overlap.total_s <= found.speech_s + 1e-9
    assert sum(party.turns for party in found.speakers.values()) == found.turns
    assert sum(party.interruptions for party in found.speakers.values()) == found.interruptions.count
    assert found.response_latency is not None
    for instance in found.interruptions.instances:
        assert instance.duration_s > 0
        assert instance.speaker != instance.interrupted
