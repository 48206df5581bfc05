"""Histograms and courses as SVG, which takes no script and prints."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from callscope.report.html.phrases import Phrase, Speech, phrase
from callscope.report.overview.measured import Figure, edge, shown
from callscope.report.overview.statistics import Bin, Distribution, Period

WIDTH, HEIGHT, GAP = 320.0, 96.0, 2.0
LEAST = 2.0
"""The height of a bar of one call."""
MARGIN = 4.0


def histogram(figure: Figure, spread: Distribution, speech: Speech) -> Markup:
    """Bars that the keyboard reaches; each says its range and how many calls it has.

    Args:
        figure: what is shown.
        spread: in the unit that it is shown in, with a bar or more.
        speech: writes the bars' names.
    """
    most = max(len(bar.calls) for bar in spread.bins)
    width = WIDTH / len(spread.bins)
    stop = next(place for place, bar in enumerate(spread.bins) if bar.calls)
    bars = Markup()
    for place, bar in enumerate(spread.bins):
        height = max(LEAST, HEIGHT * len(bar.calls) / most) if bar.calls else 0.0
        use = Markup(' role="button" tabindex="{}"').format(0 if place == stop else -1) if bar.calls else ""
        name = phrase("overview.bar", range=range_of(bar, figure), count=str(len(bar.calls)))
        bars += Markup(
            '<g class="column"{} data-bin="{}">{}<rect class="reach" x="{:.2f}" y="0" width="{:.2f}" height="{}"/>'
            '<rect class="filled" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/></g>'
        ).format(
            use, place, speech.element(name, "title"), place * width, width, HEIGHT,
            place * width + GAP / 2, HEIGHT - height, max(width - GAP, 1.0), height,
        )  # fmt: skip
    return Markup(
        '<svg class="histogram" viewBox="0 0 {} {}" preserveAspectRatio="none" role="group" {}>{}</svg>'
    ).format(WIDTH, HEIGHT, speech.attribute("aria-label", phrase(figure.text)), bars)


def range_of(bar: Bin, figure: Figure) -> Phrase:
    """The values that a bar holds: "4–5 min", "9 min and more", or a count alone."""
    if bar.high is None:
        return phrase("overview.over", value=edge(bar.low or 0.0, figure.unit))
    high = bar.high - 1 if figure.whole else bar.high
    if bar.low is None:
        return phrase("overview.up_to" if figure.whole else "overview.under", value=edge(high, figure.unit))
    if figure.whole and high == bar.low:
        return edge(high, figure.unit)
    return phrase("overview.between", low=edge(bar.low, "count"), high=edge(high, figure.unit))


def ends(spread: Distribution, figure: Figure) -> tuple[Phrase, Phrase]:
    """What stands at either end of a histogram's axis."""
    first, last = spread.bins[0], spread.bins[-1]
    low = range_of(first, figure) if first.low is None else edge(first.low, figure.unit)
    high = range_of(last, figure) if last.high is None else edge(last.high - figure.whole, figure.unit)
    return low, high


def course(figure: Figure, days: Sequence[Period], speech: Speech) -> Markup:
    """The median of each day or week as a line, over the band of its quartiles; each point says its figures."""
    low, high = reach(days)
    first, last = days[0].start.toordinal(), days[-1].start.toordinal()

    def place(day: Period, value: float) -> tuple[float, float]:
        across = (day.start.toordinal() - first) / (last - first) if last > first else 0.5
        down = (high - value) / (high - low) if high > low else 0.5
        return MARGIN + across * (WIDTH - 2 * MARGIN), MARGIN + down * (HEIGHT - 2 * MARGIN)

    band = [place(day, day.high) for day in days] + [place(day, day.low) for day in reversed(days)]
    line = [place(day, day.median) for day in days]
    dots = Markup().join(
        Markup('<path class="dot" d="M{:.1f} {:.1f}h0">{}</path>').format(
            *point, speech.element(_told(day, figure), "title")
        )
        for day, point in zip(days, line, strict=True)
    )
    ways = phrase(
        "overview.from_to",
        figure=phrase(figure.text),
        first=shown(days[0].median, figure.unit),
        last=shown(days[-1].median, figure.unit),
    )
    return Markup(
        '<svg class="course" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" {}>'
        '<polygon class="band" points="{}"/><polyline points="{}"/>{}</svg>'
    ).format(WIDTH, HEIGHT, speech.attribute("aria-label", ways), _points(band), _points(line), dots)


def reach(days: Sequence[Period]) -> tuple[float, float]:
    """The lowest and the highest quartile."""
    return min(day.low for day in days), max(day.high for day in days)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _told(day: Period, figure: Figure) -> Phrase:
    value = shown(day.median, figure.unit)
    return phrase("overview.bar", range=phrase("overview.on", date=str(day.start), value=value), count=str(day.count))
