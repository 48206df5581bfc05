"""The figures of a whole plan, by name: what a budget limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from loadtest.knee import knee
from loadtest.samples import Results, Sample, summarize
from loadtest.steps import Step, between, carried, steps

KINDS = ("transcribe", "punctuate", "sentiment", "call", "live")
MODELS = ("log_mel", "whisper_encoder", "whisper_decoder")
MS = 1000.0
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a server answers while a fixed number of requests is in flight."""

    windows_per_s: float
    speech_per_s: float
    error_rate: float
    mean_batches: dict[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """What a plan has found.

    Attributes:
        capacity: at saturation.
        ramp: windows at growing load, by load.
        knee: the place of the knee among them.
        steady: the mixed load's samples and statistics.
        live: calls in progress, by their number.
        carried: the most that were carried; None where not even one was.
        live_per_s: windows a second that one call in progress sends.
    """

    capacity: Capacity
    ramp: Sequence[Step]
    knee: int
    steady: Results
    live: Sequence[Step]
    carried: Step | None
    live_per_s: float


def capacity(results: Results) -> Capacity:
    """The throughput of a run with a fixed number of requests in flight, without its first and last tenth."""
    samples = sorted(results.samples, key=_answered_s)
    kept = samples[len(samples) // 10 : len(samples) - len(samples) // 10]
    began_s, ended_s = _answered_s(kept[0]), _answered_s(kept[-1])
    took_s = max(ended_s - began_s, 1e-9)
    work = between(results.statistics, began_s, ended_s)
    return Capacity(
        windows_per_s=(len(kept) - 1) / took_s,
        speech_per_s=sum(sample.audio_s for sample in kept[1:]) / took_s,
        error_rate=summarize(samples).error_rate,
        mean_batches={model: work[model].mean_batch for model in MODELS if model in work},
    )


def found(closed: Results, ramp: Results, steady: Results, live: Results, *, rate: float, target_s: float) -> Found:
    """What four runs say together.

    Args:
        closed: with a fixed number of requests in flight.
        ramp: of growing load.
        steady: of mixed load.
        live: of calls in progress.
        rate: requests a second of each source in the ramp: chance makes them a few more or less.
        target_s: within which 95 % of live words must be there.
    """
    loads = [replace(step, offered_per_s=step.sources * rate) for step in steps(ramp, "transcribe")]
    bend = knee([step.offered_per_s for step in loads], [step.summary.p95_s for step in loads])
    lines = steps(live, "live")
    return Found(
        capacity(closed), loads, bend, steady, lines, carried(lines, target_s), live.facts["windows_a_live_second"]
    )


def figures(each: Found) -> dict[str, float]:
    """Every figure that a budget may limit, and its value; NaN where nothing was measured."""
    return dict(_figures(each))


def _figures(each: Found) -> Iterator[tuple[str, float]]:
    whole = each.capacity.windows_per_s
    yield "capacity.windows_per_s", whole
    yield "capacity.real_time_factor", 1 / each.capacity.speech_per_s if each.capacity.speech_per_s else NAN
    yield "capacity.error_rate", each.capacity.error_rate
    for model, mean in each.capacity.mean_batches.items():
        yield f"capacity.{model}.mean_batch", mean
    unloaded_s = each.ramp[0].summary.p50_s
    yield "ramp.unloaded_p50_ms", unloaded_s * MS
    yield "ramp.knee_per_s", each.ramp[each.knee].offered_per_s
    yield "ramp.knee_share", each.ramp[each.knee].offered_per_s / whole
    yield from _steady(each.steady, unloaded_s)
    yield "live.calls", float(each.carried.sources if each.carried else 0)
    yield "live.p95_ms", each.carried.summary.p95_s * MS if each.carried else NAN
    yield "live.share_of_capacity", (each.carried.sources if each.carried else 0) * each.live_per_s / whole


def _steady(results: Results, unloaded_s: float) -> Iterator[tuple[str, float]]:
    yield "steady.error_rate", summarize(results.samples).error_rate
    for kind in KINDS:
        of_kind = [sample for sample in results.samples if sample.kind == kind]
        if not of_kind:
            continue
        summary = summarize(of_kind)
        yield f"steady.{kind}.error_rate", summary.error_rate
        for name, value_s in (("p50", summary.p50_s), ("p95", summary.p95_s), ("p99", summary.p99_s)):
            yield f"steady.{kind}.{name}_ms", value_s * MS
            yield f"steady.{kind}.{name}_ratio", value_s / unloaded_s
    last_s = max((sample.due_s for sample in results.samples), default=0.0)
    for model, work in between(results.statistics, 0.0, last_s).items():
        yield f"steady.{model}.mean_batch", work.mean_batch


def _answered_s(sample: Sample) -> float:
    return sample.due_s + sample.latency_s
