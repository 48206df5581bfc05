"""The page: what the templates are given, and the document they make of it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from markupsafe import Markup

from callscope.call import Call
from callscope.report.html import drawing, policy, transcript
from callscope.report.html.evidence import ratios
from callscope.report.html.figures import call_rows, party_rows, score
from callscope.report.html.missing import lacks
from callscope.report.html.moments import moments
from callscope.report.html.people import looks, names, people
from callscope.report.html.phrases import Phrase, Speech, phrase
from callscope.report.html.templates import environment
from callscope.report.html.texts import LANGUAGES, interface_language, texts
from callscope.report.times import clock

STYLES = ("look.css", "call.css")
SCRIPTS = ("phrases", "place", "timeline", "search", "player", "printing")


def render(call: Call, audio: str | None) -> str:
    """The document; see `write`."""
    language = interface_language(call.recording.language)
    script, style = _script(), _style()
    speech = Speech(texts(language))
    said = people(call)
    document = (
        environment("callscope.report.html")
        .get_template("page.html.j2")
        .render(
            **_functions(speech),
            call=call,
            title=title(call),
            language=language,
            languages=LANGUAGES,
            names=names(call),
            looks=looks(call),
            people=said,
            party_rows=party_rows(call, said),
            call_rows=call_rows(call),
            ratios=ratios(call),
            moments=moments(call),
            lacks=lacks(call),
            entries=transcript.entries(call),
            unsure=any(_is_unsure(word.confidence) for segment in call.segments for word in segment.words),
            drawing=drawing,
            audio=audio,
            policy=policy.content_policy(script, style, audio),
            script=Markup(script),  # noqa: S704  our own file
            style=Markup(style),  # noqa: S704  our own file
            data=policy.data({"duration": call.recording.duration_s, "texts": {key: texts(key) for key in LANGUAGES}}),
        )
    )
    return policy.printable(document)


def title(call: Call) -> Phrase:
    """What the call is called: its file's name."""
    name = PurePath(call.recording.source).name
    return phrase("unit.number", value=name) if name not in {"", "-"} else phrase("head.standard_input")


def _functions(speech: Speech) -> dict[str, Any]:
    return {
        "t": lambda key, **values: speech.element(phrase(key, **values)),
        "say": speech.element,
        "plain": speech.plain,
        "attribute": lambda name, key, **values: speech.attribute(name, phrase(key, **values)),
        "phrase": phrase,
        "clock": clock,
        "score": score,
    }


def _is_unsure(confidence: float | None) -> bool:
    return confidence is not None and confidence < transcript.UNSURE_BELOW


@cache
def _style() -> str:
    return "".join(_read(name) for name in STYLES)


@cache
def _script() -> str:
    return '"use strict";\n' + "".join(_read(f"script/{name}.js") for name in SCRIPTS)


def _read(name: str) -> str:
    return files("callscope.report.html").joinpath(name).read_text("utf-8")
