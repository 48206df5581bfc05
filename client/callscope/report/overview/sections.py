"""The parts of the page: histograms, courses, calls that stand apart, comparisons."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup

from callscope.report.html.phrases import Phrase, Speech
from callscope.report.overview import charts
from callscope.report.overview.brief import Brief
from callscope.report.overview.measured import COMPARED, FIGURES, Figure, scaled, shown
from callscope.report.overview.statistics import Distribution, Outlier, Period, distribution, groups, outliers, periods

MOST_OUTLIERS = 30
MOST_KEYS = 4
MOST_VALUES = 40


@dataclass(frozen=True, slots=True)
class Panel:
    """A figure's histogram; `language` where it is of the calls in one, `ends` those of its axis."""

    figure: Figure
    language: str | None
    spread: Distribution
    chart: Markup
    ends: tuple[Phrase, Phrase]


@dataclass(frozen=True, slots=True)
class Course:
    """A figure over the days or weeks; `reach` is the lowest and highest that the chart shows."""

    figure: Figure
    days: Sequence[Period]
    chart: Markup
    reach: tuple[Phrase, Phrase]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Calls by one key of their metadata.

    Attributes:
        key: its name.
        rows: a value, how many calls have it, and the medians of their figures.
        values: how many values there are, of which `rows` has those with most calls.
    """

    key: str
    rows: Sequence[tuple[str, int, Mapping[str, float | None]]]
    values: int


def panels(briefs: Sequence[Brief], speech: Speech) -> Iterator[Panel]:
    """A histogram for each figure that a call has, one a language where languages cannot be compared."""
    for figure, language, values in _split(briefs):
        in_unit = [None if value is None else scaled(value, figure.unit) for value in values]
        spread = distribution(in_unit, whole=figure.whole)
        if spread.bins:
            chart = charts.histogram(figure, spread, speech)
            yield Panel(figure, language, spread, chart, charts.ends(spread, figure))


def courses(briefs: Sequence[Brief], speech: Speech) -> Iterator[Course]:
    """The course of each figure that has one over two days or weeks."""
    for figure in FIGURES:
        days = periods(briefs, figure.name) if figure.trend else []
        if len(days) > 1:
            low, high = charts.reach(days)
            reach = (shown(low, figure.unit), shown(high, figure.unit))
            yield Course(figure, days, charts.course(figure, days, speech), reach)


def apart(briefs: Sequence[Brief]) -> list[tuple[Outlier, Figure]]:
    """What stands apart in any figure, among calls it can be compared with, the farthest first."""
    found = [(outlier, figure) for figure, _, values in _split(briefs) for outlier in outliers(values, figure.least)]
    return sorted(found, key=lambda one: -abs(one[0].z))


def comparisons(briefs: Sequence[Brief]) -> list[Comparison]:
    """Medians by agent, team, queue or whatever else calls share."""
    return [
        Comparison(
            key,
            [(value, len(calls), _medians(briefs, calls)) for value, calls in islice(values.items(), MOST_VALUES)],
            len(values),
        )
        for key, values in islice(groups(briefs).items(), MOST_KEYS)
    ]


def _split(briefs: Sequence[Brief]) -> Iterator[tuple[Figure, str | None, list[float | None]]]:
    """Each figure with a value a call, apart by language (None for the others') where it must be."""
    languages = sorted({brief.language for brief in briefs if brief.language})
    for figure in FIGURES:
        for language in languages if figure.by_language else [None]:
            of_all = language is None
            yield (
                figure,
                language,
                [brief.figures[figure.name] if of_all or brief.language == language else None for brief in briefs],
            )


def _medians(briefs: Sequence[Brief], calls: Sequence[int]) -> dict[str, float | None]:
    values = {name: [briefs[call].figures[name] for call in calls] for name in COMPARED}
    known = {name: [value for value in some if value is not None] for name, some in values.items()}
    return {name: statistics.median(some) if some else None for name, some in known.items()}
