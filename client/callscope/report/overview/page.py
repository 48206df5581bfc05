"""The page: what the template is given, and the document it makes of it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from callscope.report.html import policy
from callscope.report.html.phrases import Phrase, Speech, Texts, phrase
from callscope.report.html.texts import LANGUAGES, interface_language, read_texts
from callscope.report.html.texts import texts as shared_texts
from callscope.report.overview import charts
from callscope.report.overview.brief import Brief
from callscope.report.overview.measured import COMPARED, FIGURES, IN_TABLE, Figure, scaled, shown
from callscope.report.overview.statistics import Distribution, Outlier, Period, distribution, groups, outliers, periods

MOST_OUTLIERS = 20
MOST_GROUPS = 3
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Panel:
    """A figure's histogram, or its course; `language` where it is of the calls in one."""

    figure: Figure
    language: str | None
    spread: Distribution
    chart: Markup


@dataclass(frozen=True, slots=True)
class Course:
    """A figure over the days or weeks."""

    figure: Figure
    days: Sequence[Period]
    chart: Markup


def render(briefs: Sequence[Brief], *, title: str = "", language: str | None = None) -> str:
    """The document.

    Args:
        briefs: the calls, at least one.
        title: its heading; "Calls" in the page's language without one.
        language: of the page: en, ja or ko; that of most calls without one.
    """
    language = language or interface_language(_most_common(brief.language for brief in briefs))
    speech = Speech(texts(language))
    panels = list(_panels(briefs))
    script, style = _script(), _style()
    document = _environment().get_template("overview.html.j2").render(
        t=lambda key, **values: speech.element(phrase(key, **values)),
        say=speech.element,
        plain=speech.plain,
        attribute=lambda name, key, **values: speech.attribute(name, phrase(key, **values)),
        shown=shown,
        briefs=briefs,
        title=title,
        language=language,
        languages=LANGUAGES,
        totals=_totals(briefs),
        panels=panels,
        courses=list(_courses(briefs)),
        apart=_apart(briefs),
        comparisons=_comparisons(briefs),
        compared=[figure for figure in FIGURES if figure.name in COMPARED],
        columns=[figure for figure in FIGURES if figure.name in IN_TABLE],
        name=_name,
        policy=policy.content_policy(script, style, None),
        script=Markup(script),  # noqa: S704  our own file
        style=Markup(style),  # noqa: S704  our own file
        data=policy.data(_data(briefs, panels)),
    )  # fmt: skip
    return policy.printable(document)


@cache
def texts(language: str) -> Texts:
    """The texts of the call's page, and this one's beside them."""
    return {**shared_texts(language), **read_texts("callscope.report.overview", language)}


def _panels(briefs: Sequence[Brief]) -> Iterator[Panel]:
    for figure in FIGURES:
        languages = sorted({brief.language for brief in briefs if brief.language}) if figure.by_language else [None]
        for language in languages:
            values = [brief.figures[figure.name] if language in {None, brief.language} else None for brief in briefs]
            spread = distribution([None if value is None else scaled(value, figure.unit) for value in values])
            if spread.bins:
                yield Panel(figure, language, spread, charts.histogram(figure, FIGURES.index(figure), spread))


def _courses(briefs: Sequence[Brief]) -> Iterator[Course]:
    for figure in FIGURES:
        days = periods(briefs, figure.name) if figure.trend else []
        if len(days) > 1:
            yield Course(figure, days, charts.course(figure, days))


def _apart(briefs: Sequence[Brief]) -> list[tuple[Outlier, Figure]]:
    comparable = [figure for figure in FIGURES if not figure.by_language]
    figures = {figure.name: [brief.figures[figure.name] for brief in briefs] for figure in comparable}
    by_name = {figure.name: figure for figure in FIGURES}
    return [(outlier, by_name[outlier.figure]) for outlier in outliers(figures)[:MOST_OUTLIERS]]


def _comparisons(briefs: Sequence[Brief]) -> list[tuple[str, list[tuple[str, int, dict[str, float | None]]]]]:
    """Key of metadata -> its values, each with how many calls and the medians of their figures."""
    return [
        (key, [(value, len(calls), _medians(briefs, calls)) for value, calls in values.items()])
        for key, values in list(groups(briefs).items())[:MOST_GROUPS]
    ]


def _medians(briefs: Sequence[Brief], calls: Sequence[int]) -> dict[str, float | None]:
    values = {name: [briefs[call].figures[name] for call in calls] for name in COMPARED}
    known = {name: [value for value in some if value is not None] for name, some in values.items()}
    return {name: statistics.median(some) if some else None for name, some in known.items()}


def _totals(briefs: Sequence[Brief]) -> dict[str, Any]:
    dates = [brief.date for brief in briefs]
    return {
        "calls": len(briefs),
        "hours": sum(brief.figures["duration"] or 0.0 for brief in briefs) / 3600,
        "roles_known": sum(brief.roles_known for brief in briefs) / len(briefs),
        "degraded": Counter(step for brief in briefs for step in brief.degraded).most_common(),
        "degraded_calls": sum(bool(brief.degraded) for brief in briefs),
        "languages": Counter(brief.language or "?" for brief in briefs).most_common(),
        "first": min(dates),
        "last": max(dates),
    }


def _data(briefs: Sequence[Brief], panels: Sequence[Panel]) -> dict[str, Any]:
    """What the script needs: a row a call, the columns, and the calls behind each bar."""
    return {
        "texts": {language: texts(language) for language in LANGUAGES},
        "figures": [
            {"name": figure.name, "text": figure.text, "unit": figure.unit, "shown": figure.name in IN_TABLE}
            for figure in FIGURES
        ],
        "rows": [_row(brief) for brief in briefs],
        "bins": [[bar.calls for bar in panel.spread.bins] for panel in panels],
        "panels": [{"figure": FIGURES.index(panel.figure), "language": panel.language} for panel in panels],
    }


def _row(brief: Brief) -> list[Any]:
    """File, page, date, language, metadata as text, then the figures in their order."""
    about = " ".join(f"{key}: {value}" for key, value in brief.metadata.items())
    values = (brief.figures[figure.name] for figure in FIGURES)
    rounded = [None if value is None else round(value, DIGITS) for value in values]
    return [_name(brief), brief.link, brief.date.isoformat(timespec="minutes"), brief.language, about, *rounded]


def _name(brief: Brief) -> str:
    return PurePath(brief.source).name or brief.source


def _most_common(languages: Iterator[str | None]) -> str | None:
    counted = Counter(filter(None, languages)).most_common(1)
    return counted[0][0] if counted else None


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("callscope.report.overview", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _style() -> str:
    shared = files("callscope.report.html").joinpath("look.css").read_text("utf-8")
    return shared + files("callscope.report.overview").joinpath("overview.css").read_text("utf-8")


@cache
def _script() -> str:
    shared = files("callscope.report.html").joinpath("script", "phrases.js").read_text("utf-8")
    return '"use strict";\n' + shared + files("callscope.report.overview").joinpath("overview.js").read_text("utf-8")


__all__ = ["Phrase", "render", "texts"]
