"""What Amazon Transcribe writes: words and marks in `results.items`, whose they are by speaker or channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from callscope.analysis.words import UNSPACED_LANGUAGES
from callscope.call import Word
from callscope.transcripts.document import Document
from callscope.transcripts.rows import channel_of, language_of, number_of
from callscope.transcripts.times import seconds
from callscope.transcripts.transcript import Cue, Transcript

PAUSE_S = 1.0
"""A speaker who is silent as long as that begins another segment."""
Object = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Item:
    """A word with the marks after it; `text` is as it is written, marks included."""

    word: Word
    text: str
    speaker: str | None
    channel: int | None


def is_amazon(value: Object) -> bool:
    """Whether an object has Amazon Transcribe's items."""
    results = value.get("results")
    return isinstance(results, Mapping) and isinstance(results.get("items"), list)


def read(value: Object, document: Document) -> Transcript:
    """The words by speaker, cut where the speaker changes or pauses.

    Raises:
        TranscriptInvalid: a word has no times or no text.
    """
    results = _object(value["results"])
    language = language_of(results.get("language_code"))
    channels = _list(_object(results.get("channel_labels")).get("channels"))
    if channels:
        cues = [cue for each in map(_object, channels) for cue in _of_channel(each, document, language)]
    else:
        cues = _cues(_items(results.get("items"), _speakers(results), None, document), language)
    return Transcript("amazon", tuple(cues), language=language)


def _of_channel(value: Object, document: Document, language: str | None) -> list[Cue]:
    channel = channel_of(value.get("channel_label"))
    return _cues(_items(value.get("items"), {}, channel, document), language)


def _cues(items: Sequence[_Item], language: str | None) -> list[Cue]:
    return [_cue(run, language) for run in _runs(items)]


def _cue(run: Sequence[_Item], language: str | None) -> Cue:
    space = "" if language in UNSPACED_LANGUAGES else " "
    words = tuple(item.word for item in run)
    return Cue(
        words[0].start_s,
        max(word.end_s for word in words),
        space.join(item.text for item in run),
        speaker=run[0].speaker,
        channel=run[0].channel,
        language=language,
        words=words,
    )


def _runs(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    run: list[_Item] = []
    for item in items:
        if run and (item.speaker != run[-1].speaker or item.word.start_s - run[-1].word.end_s >= PAUSE_S):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _items(values: object, speakers: Mapping[str, str], channel: int | None, document: Document) -> list[_Item]:
    items: list[_Item] = []
    for number, value in enumerate(map(_object, _list(values)), start=1):
        content = _object(next(iter(_list(value.get("alternatives"))), None)).get("content")
        if not isinstance(content, str):
            raise document.damaged("this word has no text. Export it again", f"item {number}")
        if value.get("type") == "punctuation":
            if items:
                items[-1] = replace(items[-1], text=items[-1].text + content)
            continue
        label = value.get("speaker_label", speakers.get(str(value.get("start_time"))))
        word = _word(value, content, f"item {number}", document)
        items.append(_Item(word, content, str(label) if label is not None else None, channel))
    return items


def _word(value: Object, content: str, place: str, document: Document) -> Word:
    alternative = _object(_list(value.get("alternatives"))[0])
    try:
        start_s, end_s = seconds(value.get("start_time")), seconds(value.get("end_time"))
    except ValueError as error:
        raise document.damaged(f"a time of this word {error}. Export it again", place) from error
    if end_s < start_s:
        raise document.damaged("this word ends before it begins. Export it again", place)
    return Word(content, start_s, end_s, number_of(alternative.get("confidence"), 0, 1), "")


def _speakers(results: Object) -> Mapping[str, str]:
    """Start of a word, as it is written -> its speaker."""
    segments = _list(_object(results.get("speaker_labels")).get("segments"))
    return {
        str(item.get("start_time")): str(item.get("speaker_label", segment.get("speaker_label")))
        for segment in map(_object, segments)
        for item in map(_object, _list(segment.get("items")))
    }


def _object(value: object) -> Object:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
