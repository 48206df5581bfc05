"""The page of a call as a document: what it says, what it does not say, and what it lets nobody say."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from callscope.call import Evidence, LexiconShare, Quality, Sentence, Speaker
from callscope.errors import ResultUnwritable
from callscope.report import SUFFIXES, WRITERS, html
from callscope.report.html import drawing, transcript
from callscope.report.html.audio import Way, embed, link, player_source
from callscope.report.html.texts import LANGUAGES, texts

from ...report_calls import HOSTILE, SPEAKERS, build, dialogue_call, hostile_call, segment


class Read(HTMLParser):
    """The elements of a page, with the text of each that has a class or an id."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._silent = 0
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._silent += tag in {"script", "style"}
        self.text.append(" " if tag in {"br", "dd", "p", "td"} else "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]


def test_html_is_a_format() -> None:
    assert WRITERS["html"](dialogue_call("en")) == html.write(dialogue_call("en"))
    assert SUFFIXES["html"] == ".html"


@pytest.mark.parametrize(("language", "said", "heading"), [
    ("en", "Harbour Broadband", "Transcript"), ("ja", "みなと家電", "文字起こし"), ("ko", "한결생활", "대화 내용"),
])  # fmt: skip
def test_a_page_is_in_the_language_of_its_call(language: str, said: str, heading: str) -> None:
    page = Read(html.write(dialogue_call(language)))
    assert page.all("html", lang=language)
    assert said in page.words
    assert heading in page.words
    assert all(one["lang"] == language for one in page.all("p") if one.get("class") == "said")


def test_a_call_in_another_language_gets_an_english_page_and_keeps_its_own_language() -> None:
    page = Read(html.write(build([segment(0, 0, 0, 2, "Bonjour.", score=0.1, language="fr")], language="fr")))
    assert page.all("html", lang="en")
    assert page.all("p", lang="fr")


def test_the_languages_have_the_same_keys_and_the_same_values_in_braces() -> None:
    english = texts("en")
    for language in LANGUAGES:
        own = texts(language)
        assert own.keys() == english.keys()
        assert all(own.values()), "an empty text"
        for key, text in own.items():
            assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[key])), (language, key)


def test_every_text_is_used_by_some_page_or_template() -> None:
    folder = Path(html.__file__).parent
    sources = "".join(file.read_text("utf-8") for kind in ("*.py", "*/*.j2", "*/*.js") for file in folder.glob(kind))
    unused = [key for key in texts("en") if key not in sources and f'"{key.split(".")[1]}"' not in sources]
    made = (
        "about.",
        "measure.",
        "language.",
        "mood.",
        "doubt.",
        "status.",
        "dropped.",
        "missing.",
        "role.",
        "role_source.",
        "kind.",
    )
    assert [key for key in unused if not key.startswith(made)] == []


def test_all_words_of_the_call_are_on_the_page_once() -> None:
    call = dialogue_call("ko")
    page = Read(html.write(call))
    for one in call.segments:
        assert " ".join(one.text.split()) in page.words
    assert len([one for one in page.all("span") if "data-at" in one]) == sum(len(one.words) for one in call.segments)


def test_nothing_is_asked_for_from_elsewhere() -> None:
    document = html.write(dialogue_call("en"))
    assert not re.search(r"""(?:src|href|action|poster|xlink:href)\s*=\s*["'](?!#)""", document)
    assert not re.search(r"@import|url\((?!#)|https?://", document)


def test_the_policy_knows_the_one_script_and_the_one_style_by_their_hashes() -> None:
    document = html.write(dialogue_call("en"))
    policy = Read(document).all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"] or ""
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", document, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "media-src 'none'" in policy
    assert not re.search(r"\sstyle=|\son\w+=", document.split("</style>")[1].split("<script")[0])


@pytest.mark.parametrize("audio", [None, f"./{HOSTILE}.wav"])
def test_hostile_texts_stay_texts(audio: str | None) -> None:
    call = hostile_call()
    document, plain = html.write(call, audio), html.write(dialogue_call("en"), audio and "./a.wav")
    page, model = Read(document), Read(plain)
    for tag in ("script", "style", "meta", "img", "iframe", "object", "base", "form"):
        assert len(page.all(tag)) == len(model.all(tag)), tag
    assert not [found for _, found in page.elements if any(name.startswith("on") for name in found)]
    assert "{{ 7*7 }}" in page.words
    document.encode("utf-8")
    assert not re.search("[\x00\ud800\u202e]", document)
    assert "<!--" not in document


def test_the_data_of_the_script_survive_their_escaping() -> None:
    document = html.write(dialogue_call("ja"))
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', document)
    data: dict[str, Any] = json.loads(text)
    assert data["duration"] == dialogue_call("ja").recording.duration_s
    assert data["texts"]["ko"]["section.transcript"] == "대화 내용"
    assert not set("<>&") & set(text)


def test_what_cannot_be_computed_is_said_to_be_missing_and_why() -> None:
    unknown = (Speaker("S1"), Speaker("S2"))
    spoken = [replace(segment(0, 0, 1, 3, "こんにちは。", score=None, language="ja"), speaker="S1", words=())]
    words = Read(html.write(build(spoken, language="en", speakers=unknown))).words
    assert "Words a minute not available written without spaces" in without_definitions(words)
    assert "Sentiment not available no text has a sentiment" in without_definitions(words)
    assert "Agent's response, median not available the roles are unknown" in without_definitions(words)
    assert "Customer to agent talk not available the roles are unknown" in without_definitions(words)
    assert "not available: it was not worked out for this call" in words
    assert "Nobody is known to be the agent: the agent's measures are not available." in words


def test_a_ratio_that_is_missing_is_not_drawn_as_zero() -> None:
    call = replace(dialogue_call("en"), quality=Quality(apology_ratio=0.0))
    document = html.write(call)
    assert document.count('<svg class="bar"') == 1
    words = without_definitions(Read(document).words)
    assert "Honorific language not available there are no words to find it by" in words
    assert "Apology 0 %" in words


def test_a_call_without_speech_is_a_page_that_says_so() -> None:
    for language in ("en", "ja", "ko"):
        call = build((), language=language, speakers=(), duration_s=12.0)
        assert texts(language)["transcript.none"] in Read(html.write(call)).words
    html.write(build((), language=None, speakers=SPEAKERS, duration_s=1e-9))
    html.write(replace(call, recording=replace(call.recording, duration_s=0.0)))


def test_what_a_step_did_not_do_is_said_above_everything() -> None:
    call = dialogue_call("en")
    steps = (
        *call.processing.steps,
        replace(call.processing.steps[0], name="moon", status="failed", error="new <moon>"),
    )
    words = Read(html.write(replace(call, processing=replace(call.processing, steps=steps, degraded=("sun",))))).words
    box = words[words.index("What is missing") : words.index("Course of the call")]
    assert "The sound was not cleaned of noise: speech may have been missed. pyrnnoise is not installed" in box
    assert "The step “moon” did less than it should. new <moon>" in box
    assert "The step “sun” did less than it should." in box
    assert "1 of 32 segments are in doubt" in box


def test_a_complete_result_has_no_such_box() -> None:
    call = dialogue_call("en")
    steps = tuple(replace(step, status="ok", error=None) for step in call.processing.steps)
    segments = tuple(replace(one, doubts=()) for one in call.segments)
    whole = replace(call, segments=segments, processing=replace(call.processing, steps=steps, degraded=()))
    assert "What is missing" not in Read(html.write(whole)).words


def test_evidence_points_to_the_sentence_it_names() -> None:
    page = html.write(dialogue_call("en"))
    assert re.search(r'href="#g12s1" data-show="g12s1"[^>]*>.*?<mark>I apologise</mark> for the wrong', page, re.DOTALL)
    assert Read(page).all("span", id="g12s1")


def test_several_matches_in_a_sentence_are_one_entry_with_each_of_them_marked() -> None:
    call = dialogue_call("en")
    texts_found = ("You are right", "right, that", "happened", "happened")
    found = tuple(Evidence("empathy_ratio", "seg-0013", 0, text, "en.empathy") for text in texts_found)
    document = html.write(replace(call, quality=Quality(empathy_ratio=0.5, evidence=found)))
    assert document.count('data-show="g12s0"') == 1
    assert "<mark>You are right</mark>, that should not have <mark>happened</mark>." in document


def test_a_lexicon_says_what_it_found_and_a_speaker_why_it_has_its_role() -> None:
    call = dialogue_call("en")
    first = call.segments[0]
    assert first.sentiment
    adjusted = replace(first.sentiment, source="model+lexicon", lexicon=LexiconShare(0.8, 0.4, ("thank <you>", "help")))
    document = html.write(replace(call, segments=(replace(first, sentiment=adjusted), *call.segments[1:])))
    assert 'title="Words: thank &lt;you&gt;, help"' in document
    assert "Speaker speaker-1 Agent, by what is said, 97 % sure" in Read(document).words
    assert "phone numbers × 2, card numbers × 1" in Read(document).words


def test_evidence_for_what_is_not_there_does_no_harm() -> None:
    call = dialogue_call("en")
    found = (
        Evidence("apology_ratio", "seg-9999", 0, "sorry", "en.apology"),
        Evidence("apology_ratio", "seg-0003", 99, "not in it", "en.apology"),
        Evidence("apology_ratio", "seg-0003", 0, "", "en.apology"),
    )
    document = html.write(replace(call, quality=Quality(apology_ratio=0.5, evidence=found)))
    assert document.count('data-show="g2s1"') == 1
    assert document.count('data-show="g2s0"') == 1


def test_sentences_that_are_not_the_text_do_not_hide_it() -> None:
    one = replace(segment(0, 0, 0, 2, "All of it.", score=0.0, language="en"), sentences=(Sentence("Some."),))
    assert "All of it." in Read(html.write(build([one], language="en"))).words


def test_a_word_under_half_sure_is_marked_with_more_than_colour() -> None:
    document = html.write(dialogue_call("en"))
    assert 'class="w unsure"' in document
    assert "Dotted words: the recogniser was less than half sure." in Read(document).words
    assert re.search(r"\.unsure {[^}]*underline dotted", document)


def test_words_stand_where_the_text_has_them_and_pieces_join_to_it() -> None:
    for language in ("en", "ja", "ko"):
        call = dialogue_call(language)
        for entry, one in zip(transcript.entries(call), call.segments, strict=True):
            joined = "".join("".join(piece.text for piece in line.pieces) + line.space for line in entry.lines)
            assert joined == one.text
            timed = [piece for line in entry.lines for piece in line.pieces if piece.at_s is not None]
            assert [(piece.text, piece.at_s) for piece in timed] == [(word.word, word.start_s) for word in one.words]


def test_a_word_that_is_not_in_the_text_takes_none_of_the_others_with_it() -> None:
    one = segment(0, 0, 0.0, 3.0, "one two three", score=0.0, language="en")
    changed = replace(one, text="One [number] three!", sentences=())
    (entry,) = transcript.entries(build([changed], language="en"))
    timed = [(piece.text, piece.at_s) for line in entry.lines for piece in line.pieces if piece.at_s is not None]
    assert timed == [("One", 0.0), ("three", 2.0)]


def test_a_drawing_is_as_long_as_its_call() -> None:
    call = dialogue_call("en")
    bars = [bar for lane in drawing.voices(call) for bar in lane.bars]
    assert len(bars) == len(call.segments)
    for bar in bars:
        one = call.segments[bar.index]
        assert float(bar.x[:-1]) == pytest.approx(100 * one.start_s / call.recording.duration_s, abs=0.001)
        assert float(bar.width[:-1]) == pytest.approx(
            100 * (one.end_s - one.start_s) / call.recording.duration_s, abs=0.001
        )


def test_sentiment_is_drawn_up_or_down_as_far_as_its_score() -> None:
    call = dialogue_call("en")
    for lane in drawing.moods(call):
        middle = lane.top_px + drawing.LABEL_PX + drawing.MOOD_PX
        for bar in lane.bars:
            found = call.segments[bar.index].sentiment
            assert found
            end = bar.y_px if found.score > 0 else bar.y_px + bar.height_px
            if abs(found.score) > 0.1:
                assert (middle - end) / drawing.MOOD_PX == pytest.approx(found.score, abs=0.01)


@pytest.mark.parametrize(("duration_s", "last"), [(0.0, None), (7.4, 7), (160.7, 150), (7200.0, 7200), (90000.0, None)])
def test_the_axis_has_at_most_nine_round_times(duration_s: float, last: float | None) -> None:
    ticks = drawing.ticks(duration_s)
    assert len(ticks) <= drawing.MOST_TICKS + 1
    if last is not None:
        assert ticks[-1].time_s == last


def test_a_recording_is_named_as_the_page_sees_it(tmp_path: Path) -> None:
    assert link(tmp_path / "a b#1?.wav", tmp_path / "page.html") == "./a%20b%231%3F.wav"
    assert link(tmp_path / "sound" / "통화.wav", tmp_path / "pages" / "p.html") == "./../sound/%ED%86%B5%ED%99%94.wav"
    assert link(tmp_path / os.fsdecode(b"\xb1.wav"), tmp_path / "page.html") == "./%B1.wav"
    assert link(tmp_path / "data:x.wav", tmp_path / "page.html") == "./data%3Ax.wav"


def test_a_recording_is_linked_or_carried_and_standard_input_is_neither(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    assert player_source(tmp_path / "a.wav", tmp_path / "a.html", Way.LINK) == "./a.wav"
    assert player_source(tmp_path / "a.wav", tmp_path / "a.html", Way.EMBED) == "data:audio/wav;base64,UklGRg=="
    assert player_source(Path("-"), tmp_path / "a.html", Way.EMBED) is None


def test_a_recording_is_carried_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "call.MP3").write_bytes(b"\x00\xff")
    assert embed(tmp_path / "call.MP3") == "data:audio/mpeg;base64,AP8="
    with pytest.raises(ResultUnwritable, match=r"gone\.wav cannot be put into the page \(No such file"):
        embed(tmp_path / "gone.wav")


def without_definitions(words: str) -> str:
    """The text of a page without the definitions of its measures."""
    for key, text in texts("en").items():
        if key.startswith("about."):
            words = words.replace(f" {text}", "")
    return words
