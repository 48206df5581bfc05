"""The page: what the template is given, and the document it makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from markupsafe import Markup

from callscope.report.html import policy
from callscope.report.html.phrases import Phrase, Speech, Texts, phrase
from callscope.report.html.templates import environment
from callscope.report.html.texts import LANGUAGES, interface_language, read_texts
from callscope.report.html.texts import texts as shared_texts
from callscope.report.overview.brief import Brief
from callscope.report.overview.measured import COMPARED, FIGURES, IN_TABLE, WRITTEN, edge, shown
from callscope.report.overview.sections import MOST_OUTLIERS, Panel, apart, comparisons, courses, panels
from callscope.report.overview.statistics import is_by_week

DIGITS = 4


def render(briefs: Sequence[Brief], *, title: str = "", language: str | None = None) -> str:
    """The document.

    Args:
        briefs: the calls, at least one.
        title: its heading; "Calls" in the page's language without one.
        language: of the page: en, ja or ko; that of most calls without one.
    """
    briefs = sorted(briefs, key=lambda brief: brief.date)
    language = language or interface_language(_most_common([brief.language for brief in briefs]))
    speech = Speech(texts(language))
    shown_panels = list(panels(briefs, speech))
    outlying = apart(briefs)
    script, style = _script(), _style()
    document = environment("callscope.report.overview").get_template("overview.html.j2").render(
        **_words(speech),
        briefs=briefs,
        title=title,
        language=language,
        languages=LANGUAGES,
        totals=_totals(briefs),
        panels=shown_panels,
        courses=list(courses(briefs, speech)),
        period="overview.by_week" if is_by_week(briefs) else "overview.by_day",
        apart=outlying[:MOST_OUTLIERS],
        all_apart=len(outlying),
        calls_apart=len({outlier.call for outlier, _ in outlying}),
        comparisons=comparisons(briefs),
        compared=[figure for figure in FIGURES if figure.name in COMPARED],
        columns=FIGURES,
        in_table=IN_TABLE,
        policy=policy.content_policy(script, style, None),
        script=Markup(script),  # noqa: S704  our own file
        style=Markup(style),  # noqa: S704  our own file
        data=policy.data(_data(briefs, shown_panels)),
    )  # fmt: skip
    return policy.printable(document)


@cache
def texts(language: str) -> Texts:
    """The texts of the call's page, and this one's beside them."""
    return {**shared_texts(language), **read_texts("callscope.report.overview", language)}


def _words(speech: Speech) -> dict[str, Callable[..., object]]:
    """What the template writes phrases with."""

    def name_of(code: str) -> Markup:
        known = f"language.{code}" in speech.texts
        return speech.element(phrase(f"language.{code}")) if known else Markup("<bdi>{}</bdi>").format(code)

    def middle(panel: Panel) -> Phrase:
        low, high = panel.spread.quartiles or (0.0, 0.0)
        unit, median = panel.figure.unit, panel.spread.median or 0.0
        return phrase("overview.middle", median=_short(median, unit), low=_short(low, "count"), high=_short(high, unit))

    return {
        "t": lambda key, **values: speech.element(phrase(key, **values)),
        "say": speech.element,
        "plain": lambda key: speech.plain(phrase(key)),
        "attribute": lambda name, key, **values: speech.attribute(name, phrase(key, **values)),
        "shown": lambda value, unit: speech.element(shown(value, unit)),
        "language_name": name_of,
        "middle": lambda panel: speech.element(middle(panel)),
        "name": _name,
    }


def _short(value: float, unit: str) -> Phrase:
    """A value in its unit already, with the three digits that a reader can make use of."""
    return edge(float(f"{value:.3g}"), unit)


def _totals(briefs: Sequence[Brief]) -> dict[str, Any]:
    return {
        "calls": len(briefs),
        "hours": sum(brief.figures["duration"] or 0.0 for brief in briefs) / 3600,
        "roles_known": sum(brief.roles_known for brief in briefs) / len(briefs),
        "degraded": Counter(step for brief in briefs for step in brief.degraded).most_common(),
        "degraded_calls": sum(bool(brief.degraded) for brief in briefs),
        "languages": Counter(brief.language or "?" for brief in briefs).most_common(),
        "first": briefs[0].date.date(),
        "last": briefs[-1].date.date(),
    }


def _data(briefs: Sequence[Brief], shown_panels: Sequence[Panel]) -> dict[str, Any]:
    """What the script needs: a row a call, the columns, and the calls behind each bar."""
    return {
        "texts": {language: texts(language) for language in LANGUAGES},
        "written": WRITTEN,
        "figures": [{"name": figure.name, "unit": figure.unit, "shown": figure.name in IN_TABLE} for figure in FIGURES],
        "rows": [_row(brief) for brief in briefs],
        "bins": [[bar.calls for bar in panel.spread.bins] for panel in shown_panels],
    }


def _row(brief: Brief) -> list[Any]:
    """File, page, date, language, whether both roles are known, steps that fell back, metadata, then the figures."""
    about = " ".join(f"{key}: {value}" for key, value in brief.metadata.items())
    values = (brief.figures[figure.name] for figure in FIGURES)
    rounded = [None if value is None else round(value, DIGITS) for value in values]
    date = brief.date.isoformat(timespec="minutes")
    return [
        _name(brief), brief.link, date, brief.language, brief.roles_known, " ".join(brief.degraded), about, *rounded,
    ]  # fmt: skip


def _name(brief: Brief) -> str:
    return PurePath(brief.source).name or brief.source


def _most_common(languages: Sequence[str | None]) -> str | None:
    counted = Counter(filter(None, languages)).most_common(1)
    return counted[0][0] if counted else None


@cache
def _style() -> str:
    shared = files("callscope.report.html").joinpath("look.css").read_text("utf-8")
    return shared + files("callscope.report.overview").joinpath("overview.css").read_text("utf-8")


@cache
def _script() -> str:
    shared = files("callscope.report.html").joinpath("script", "phrases.js").read_text("utf-8")
    own = [files("callscope.report.overview").joinpath(name).read_text("utf-8") for name in ("table.js", "bars.js")]
    return '"use strict";\n' + shared + "".join(own)
