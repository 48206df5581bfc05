"""What a plan has found, as one picture: latency and its knee, where the time goes, batches, calls in progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from loadtest.figures import MODELS, MS, Found
from loadtest.samples import Summary
from loadtest.steps import Step

INK, FAINT, KNEE = "#1f2933", "#9aa5b1", "#b83280"
SHADES = {"p50": "#2b6cb0", "p95": "#dd6b20", "p99": "#9b2c2c"}
COLOURS = dict(zip(MODELS, ("#68a357", "#2b6cb0", "#dd6b20"), strict=True))
INCHES = (13.0, 8.6)
QUANTILES: dict[str, Callable[[Summary], float]] = {
    "p50": lambda summary: summary.p50_s,
    "p95": lambda summary: summary.p95_s,
    "p99": lambda summary: summary.p99_s,
}


def draw(found: Found, target_s: float, title: str) -> Figure:
    """Draw four panels."""
    figure = Figure(figsize=INCHES, layout="constrained")
    figure.suptitle(title, color=INK, fontsize=11)
    (latency, spent), (batches, live) = figure.subplots(2, 2)
    _draw_latency(latency, found)
    _draw_spent(spent, found.ramp)
    _draw_batches(batches, found.ramp)
    _draw_live(live, found, target_s)
    for axes in (latency, spent, batches, live):
        axes.grid(visible=True, color="#e4e7eb", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def save(figure: Figure, folder: Path) -> None:
    """Write load.png and load.svg."""
    for ending in ("png", "svg"):
        figure.savefig(folder / f"load.{ending}", dpi=120)


def _draw_latency(axes: Axes, found: Found) -> None:
    _quantiles(axes, [step.offered_per_s for step in found.ramp], found.ramp)
    at = found.ramp[found.knee]
    axes.axvline(at.offered_per_s, color=KNEE, linewidth=1.2)
    axes.axvline(found.capacity.windows_per_s, color=FAINT, linestyle="--", linewidth=1.2)
    bottom, top = axes.get_ylim()
    axes.text(at.offered_per_s, bottom, " knee", color=KNEE, va="bottom")
    axes.text(found.capacity.windows_per_s, top, "capacity ", color=FAINT, va="top", ha="right")
    axes.set(title="Latency from the moment a window was due", xlabel="windows due, a second", ylabel="ms (log)")
    axes.set_xlim(left=0)
    axes.legend(loc="upper left", frameon=False)


def _draw_spent(axes: Axes, ramp: Sequence[Step]) -> None:
    places = range(len(ramp))
    bottom = [0.0] * len(ramp)
    for model in MODELS:
        for what, hatch in (("queue", "///"), ("compute", "")):
            heights = [_spent_ms(step, model, what) for step in ramp]
            axes.bar(
                places,
                heights,
                bottom=bottom,
                color=COLOURS[model],
                alpha=0.45 if hatch else 0.95,
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
                width=0.7,
                label=f"{model}, {what}",
            )
            bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    medians = [step.summary.p50_s * MS for step in ramp]
    axes.plot(places, medians, "o", color=INK, markersize=5, label="the client's median")
    axes.set_xticks(list(places), [f"{step.offered_per_s:.1f}" for step in ramp])
    axes.set(
        title="Where the server says the time goes, on average", xlabel="windows due, a second", ylabel="ms a window"
    )
    axes.set_ylim(top=1.5 * max([*bottom, *medians]))
    axes.legend(loc="upper left", frameon=False, fontsize=8)


def _draw_batches(axes: Axes, ramp: Sequence[Step]) -> None:
    for model in MODELS:
        means = [step.work[model].mean_batch if model in step.work else 0.0 for step in ramp]
        axes.plot([step.offered_per_s for step in ramp], means, "o-", color=COLOURS[model], label=model, markersize=4)
    axes.set(title="Windows in a batch, on average", xlabel="windows due, a second", ylabel="windows")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", frameon=False)


def _draw_live(axes: Axes, found: Found, target_s: float) -> None:
    _quantiles(axes, [step.sources for step in found.live], found.live)
    axes.axhline(target_s * MS, color=FAINT, linestyle="--", linewidth=1.2)
    across = axes.get_yaxis_transform()
    label = f"target of p95: {target_s:g} s"
    axes.text(0.5, target_s * MS, label, color=FAINT, va="bottom", ha="center", transform=across)
    if found.carried:
        carried, top = found.carried.sources, axes.get_ylim()[1]
        axes.axvline(carried, color=KNEE, linewidth=1.2)
        axes.text(carried, top, f"{carried} calls ", color=KNEE, va="top", ha="right")
    axes.set(title="Calls in progress: words after they were said", xlabel="calls at once", ylabel="ms (log)")
    axes.legend(loc="upper left", frameon=False)


def _quantiles(axes: Axes, places: Sequence[float], found: Sequence[Step]) -> None:
    for name, of in QUANTILES.items():
        values = [of(step.summary) * MS for step in found]
        axes.plot(places, values, "o-", color=SHADES[name], label=name, markersize=4, linewidth=1.6)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _spent_ms(step: Step, model: str, what: str) -> float:
    if model not in step.work:
        return 0.0
    work = step.work[model]
    return MS * (work.queue_each_s if what == "queue" else work.compute_each_s)
