"""A picture of how a call was prepared: what was heard where, what was left out and why, and the windows made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.audio import Span
from callscope_preprocessing.extras import missing
from callscope_preprocessing.pcm import FULL_SCALE
from callscope_preprocessing.speech import Speech
from callscope_preprocessing.time_axis import clock, time_ticks
from callscope_preprocessing.track import Track

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".svg", ".png", ".pdf")
COLUMNS = 2400
"""Points of a waveform: as many as a wide screen can show."""
INCHES_WIDE, INCHES_A_CHANNEL = 16.0, 2.0
REASONS = {
    "steady": "#8c564b", "keys": "#9467bd", "ring_back": "#17becf", "music": "#e377c2",
    "noise": "#7f7f7f", "short": "#bcbd22", "bleed": "#d62728",
}  # fmt: skip
OTHER_REASON = "#000000"
SPEECH, WAVE = "#2ca02c", "#4a6fa5"
SPEAKERS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")
WINDOWS = ("#5b5b5b", "#b0b0b0")
ROWS = {"speech": -1.2, "dropped": -1.5, "speakers": -1.8, "windows": -2.1}
"""Middle of each row below the waveform, which lies from -1 to 1."""
ROW_HEIGHT = 0.24


@dataclass(frozen=True, slots=True)
class Picture:
    """One channel and what was made of it.

    Attributes:
        track: its sound.
        speech: what was found in it, and left out.
        turns: who speaks when, (span, speaker).
        windows: where its windows lie.
    """

    track: Track
    speech: Speech
    turns: Sequence[tuple[Span, str]] = ()
    windows: Sequence[Span] = ()


def require_plot(file: Path) -> None:
    """Look, before any work, whether a picture can be made.

    Raises:
        PackageMissing: matplotlib is not installed.
        ValueError: the suffix names no format that is known here.
    """
    if file.suffix.lower() not in FORMATS:
        raise ValueError(f"{file} names no picture. End its name in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    if find_spec("matplotlib") is None:
        raise missing("matplotlib", purpose="A picture", extra="plot")


def plot(channels: Sequence[Picture], file: Path, *, title: str = "") -> None:
    """Draw a call, a panel for each channel, and write it as the file's suffix says: .svg, .png or .pdf.

    Args:
        channels: at least one.
        file: where to write; what is there is replaced.
        title: over it, the recording's name.

    Raises:
        PackageMissing: matplotlib is not installed.
        ValueError: the suffix names no format that is known here.
        OSError: the file cannot be written.
    """
    require_plot(file)
    from matplotlib.figure import Figure  # noqa: PLC0415  no other stage needs it

    figure = Figure(figsize=(INCHES_WIDE, 0.9 + INCHES_A_CHANNEL * len(channels)), layout="constrained")
    panels = figure.subplots(len(channels), 1, sharex=True, squeeze=False)[:, 0]
    for number, (axes, channel) in enumerate(zip(panels, channels, strict=True)):
        _draw(axes, channel, f"channel {number}")
    _mark_time(panels[-1], max(channel.track.duration_s for channel in channels))
    reasons = {dropped.reason for channel in channels for dropped in channel.speech.dropped}
    _explain(panels[0], sorted(reasons), title)
    figure.savefig(file, dpi=110)


def envelope(track: Track, columns: int = COLUMNS) -> NDArray[np.float32]:
    """Lowest and highest sample of each column, -1 to 1: shape (2, columns), fewer for fewer samples; read in order."""
    edges = np.linspace(0, track.samples, min(columns, track.samples) + 1).astype(np.int64)
    pieces = (track.read(int(first), int(end)) for first, end in pairwise(edges))
    extremes = [(int(piece.min()), int(piece.max())) for piece in pieces]
    return np.asarray(np.array(extremes, np.float32).reshape(-1, 2).T / FULL_SCALE, np.float32)


def _draw(axes: Axes, channel: Picture, name: str) -> None:
    shape = envelope(channel.track)
    scale = float(max(np.abs(shape).max(initial=0.0), 1e-3))
    times = np.linspace(0, channel.track.duration_s, shape.shape[1])
    axes.fill_between(times, shape[0] / scale, shape[1] / scale, color=WAVE, linewidth=0.3)
    _bars(axes, "speech", channel.speech.spans, [SPEECH])
    dropped = channel.speech.dropped
    _bars(axes, "dropped", [one.span for one in dropped], [REASONS.get(one.reason, OTHER_REASON) for one in dropped])
    names = sorted({speaker for _, speaker in channel.turns})
    colours = [SPEAKERS[names.index(speaker) % len(SPEAKERS)] for _, speaker in channel.turns]
    _bars(axes, "speakers", [span for span, _ in channel.turns], colours)
    _bars(axes, "windows", channel.windows, [WINDOWS[at % len(WINDOWS)] for at in range(len(channel.windows))])
    axes.set(ylim=(min(ROWS.values()) - ROW_HEIGHT, 1.05), yticks=[0, *ROWS.values()], yticklabels=[name, *ROWS])
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _bars(axes: Axes, row: str, spans: Sequence[Span], colours: Sequence[str]) -> None:
    if spans:
        places = [(span.start_s, span.duration_s) for span in spans]
        axes.broken_barh(places, (ROWS[row] - ROW_HEIGHT / 2, ROW_HEIGHT), facecolors=list(colours), linewidth=0)


def _mark_time(axes: Axes, duration_s: float) -> None:
    ticks = time_ticks(duration_s)
    axes.set(xlim=(0, max(duration_s, 1e-3)), xticks=ticks, xticklabels=[clock(tick, duration_s) for tick in ticks])


def _explain(axes: Axes, reasons: Sequence[str], title: str) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415  as above

    axes.set_title(title, loc="left")
    known = [Patch(color=REASONS.get(reason, OTHER_REASON), label=reason) for reason in reasons]
    if known:
        axes.legend(
            handles=known,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(known),
            frameon=False,
            title="dropped",
        )
