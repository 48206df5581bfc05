import json
from dataclasses import replace

import pytest

from callscope.analysis.talk import measure
from callscope.call import (
    Call,
    Evidence,
    LexiconShare,
    Processing,
    Quality,
    Recording,
    Segment,
    Sentence,
    Sentiment,
    Speaker,
    Word,
)
from callscope.redaction.redact import redact
from callscope.report import WRITERS
from callscope.report.json import to_json
from callscope.text.sentences import split_sentences

SPEAKERS = (Speaker("S1", "agent", "given", 1.0, 0), Speaker("S2", "customer", "given", 1.0, 1))


def _call(*lines: tuple[str, str], language: str = "ko", **recording: object) -> Call:
    segments = tuple(
        Segment(
            f"seg-{place:04}",
            3.0 * place,
            3.0 * place + 2,
            speaker,
            int(speaker == "S2"),
            text,
            text,
            language,
            words=_words(text, 3.0 * place, speaker),
            sentences=tuple(Sentence(one) for one in split_sentences(text, language)),
        )
        for place, (speaker, text) in enumerate(lines)
    )
    about = Recording("0" * 16, "calls/a.wav", "0" * 64, 3.0 * len(lines), 8000, 2, language, 1.0)
    processing = Processing("2026-01-02T03:04:05+00:00", "0.1.0", 1.0, 0.1, {})
    return Call(
        replace(about, **recording), processing, SPEAKERS, segments, measure(segments, SPEAKERS, 3.0 * len(lines))
    )


def _words(text: str, start_s: float, speaker: str) -> tuple[Word, ...]:
    words = text.split()
    step_s = 2 / max(len(words), 1)
    return tuple(
        Word(word, start_s + at * step_s, start_s + (at + 1) * step_s, 0.9, speaker) for at, word in enumerate(words)
    )


@pytest.fixture
def dictated() -> Call:
    return _call(
        ("S1", "카드 번호 불러 주시겠어요?"),
        ("S2", "네. 4111 1111이고요."),
        ("S1", "네."),
        ("S2", "1111 다음에 1111이에요."),
        ("S1", "연락처는 010-1234-5678 맞으시죠? 감사합니다."),
    )


def test_a_number_over_several_segments_is_masked_in_each(dictated: Call) -> None:
    texts = [segment.text for segment in redact(dictated).segments]
    assert texts[1] == "네. [card]이고요."
    assert texts[2] == "네."
    assert texts[3] == "[card] 다음에 [card]이에요." or texts[3] == "[card]이에요."
    assert texts[4] == "연락처는 [phone] 맞으시죠? 감사합니다."


def test_a_number_over_several_segments_counts_once(dictated: Call) -> None:
    assert redact(dictated).processing.redacted == {"card": 1, "phone": 1}


def test_sentences_still_join_to_the_text_and_words_keep_their_times(dictated: Call) -> None:
    for before, after in zip(dictated.segments, redact(dictated).segments, strict=True):
        assert "".join(sentence.text for sentence in after.sentences) == after.text
        assert [(word.start_s, word.end_s) for word in after.words] == [(w.start_s, w.end_s) for w in before.words]


def test_no_writer_tells_what_was_masked(dictated: Call) -> None:
    numbers = ("4111", "1111", "1234", "5678")
    call = redact(replace(dictated, recording=replace(dictated.recording, source="calls/010-1234-5678.wav")))
    for name, write in WRITERS.items():
        document = write(call).replace(call.recording.sha256, "")
        assert not [number for number in numbers if number in document], name


def test_the_path_and_metadata_are_masked() -> None:
    call = redact(
        _call(source="in/01012345678_20260102.wav", metadata={"note": "call back on 010-1234-5678", "queue": "7"})
    )
    assert call.recording.source == "in/[phone]_20260102.wav"
    assert call.recording.metadata == {"note": "call back on [phone]", "queue": "7"}


def test_quotations_are_masked() -> None:
    call = _call(("S1", "010-1234-5678 감사합니다."))
    term = Sentiment("positive", 0.5, {}, "lexicon", LexiconShare(0.5, 1.0, ("010-1234-5678 감사",)))
    segment = replace(call.segments[0], sentiment=term, sentences=(Sentence("010-1234-5678 감사합니다.", term),))
    evidence = (
        Evidence("honorific_ratio", segment.id, 0, "5678 감사합니다", "ko"),
        Evidence("honorific_ratio", segment.id, 0, "감사합니다", "ko"),
    )
    masked = redact(replace(call, segments=(segment,), quality=Quality(evidence=evidence)))
    assert "5678" not in json.dumps(to_json(masked), ensure_ascii=False)
    assert masked.quality.evidence[1].text == "감사합니다"


def test_a_number_that_ends_a_sentence_is_masked_in_every_sentence_it_touches() -> None:
    call = redact(_call(("S2", "공일공. 일이삼사. 오육칠팔. 맞아요.")))
    assert "".join(sentence.text for sentence in call.segments[0].sentences) == call.segments[0].text
    assert "일이삼사" not in call.segments[0].text
    assert "오육칠팔" not in call.segments[0].text


def test_masking_twice_is_masking_once(dictated: Call) -> None:
    once = redact(dictated)
    assert redact(once) == once


def test_a_call_without_personal_data_stays_as_it_is() -> None:
    call = _call(("S1", "감사합니다. 무엇을 도와드릴까요?"), ("S2", "주문번호 20250110123456이 안 와요."))
    assert redact(call) == call


def test_a_long_pause_ends_a_number() -> None:
    call = _call(("S2", "010 1234"), *[("S1", "확인 중입니다.")] * 8, ("S2", "5678 개입니다."))
    assert redact(call) == call
