"""Histograms and courses as SVG, which takes no script and prints."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from callscope.report.overview.measured import DIGITS, SIGNS, Figure
from callscope.report.overview.statistics import Distribution, Period

WIDTH, HEIGHT, GAP = 320.0, 96.0, 2.0
LEAST = 2.0
"""The height of a bar of one call."""


def histogram(figure: Figure, number: int, spread: Distribution) -> Markup:
    """Bars that the keyboard reaches; each says its range and how many calls it has.

    Args:
        figure: what is shown.
        number: its place in `FIGURES`, for the script.
        spread: in the unit that it is shown in.
    """
    most = max((len(bar.calls) for bar in spread.bins), default=0)
    width = WIDTH / max(len(spread.bins), 1)
    bars = Markup()
    for place, bar in enumerate(spread.bins):
        height = max(LEAST, HEIGHT * len(bar.calls) / most) if bar.calls else 0.0
        name = f"{_edge(bar.low, figure)}–{_edge(bar.high, figure)}{SIGNS[figure.unit]}: {len(bar.calls)}"
        role = Markup(' role="button" tabindex="0"') if bar.calls else Markup(' role="img"')
        bars += Markup(
            '<g class="column"{} data-figure="{}" data-bin="{}" aria-label="{}"><title>{}</title>'
            '<rect class="reach" x="{:.2f}" y="0" width="{:.2f}" height="{}"/>'
            '<rect class="filled" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" rx="2"/></g>'
        ).format(
            role, number, place, name, name,
            place * width, width, HEIGHT,
            place * width + GAP / 2, HEIGHT - height, max(width - GAP, 1.0), height,
        )  # fmt: skip
    return Markup('<svg class="histogram" viewBox="0 0 {} {}" preserveAspectRatio="none" role="group">{}</svg>').format(
        WIDTH, HEIGHT, bars
    )


def course(figure: Figure, days: Sequence[Period]) -> Markup:
    """The median of each day or week as a line, over the band of its quartiles."""
    low, high = min(day.low for day in days), max(day.high for day in days)
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    first, last = days[0].start.timestamp(), days[-1].start.timestamp()

    def place(day: Period, value: float) -> str:
        across = (day.start.timestamp() - first) / (last - first) if last > first else 0.5
        return f"{4 + across * (WIDTH - 8):.1f},{4 + (high - value) / (high - low) * (HEIGHT - 8):.1f}"

    band = [place(day, day.high) for day in days] + [place(day, day.low) for day in reversed(days)]
    line = [place(day, day.median) for day in days]
    dots = Markup().join(Markup('<circle cx="{}" cy="{}" r="2.5"/>').format(*point.split(",")) for point in line)
    name = f"{_edge(days[0].median, figure)} → {_edge(days[-1].median, figure)}{SIGNS[figure.unit]}"
    return Markup(
        '<svg class="course" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polygon class="band" points="{}"/><polyline points="{}"/>{}</svg>'
    ).format(WIDTH, HEIGHT, name, " ".join(band), " ".join(line), dots)


def _edge(value: float, figure: Figure) -> str:
    text = f"{value:.{max(DIGITS[figure.unit], 0 if abs(value) >= 10 or value == int(value) else 1)}f}"  # noqa: PLR2004
    return text.replace("-", "−")
