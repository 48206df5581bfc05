"""The search for a better way to serve: one setting after another, each value against the present choice, in rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from callscope.tuning.trial import Seen
from callscope.tuning.variant import Choice

Try = Callable[[Choice], Seen]
Tell = Callable[[Choice, Seen], None]
MARGIN = 0.05
"""A gain of less is not worth another configuration."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A way of serving against the present one, within rounds in which both were tried.

    Attributes:
        choice: the way.
        seen: what it gave, round by round.
        gains: its throughput as a multiple of the present one's, round by round.
        noise: how far two trials of the present one lay apart at most, as a share.
    """

    choice: Choice
    seen: tuple[Seen, ...]
    gains: tuple[float, ...]
    noise: float

    @property
    def gain(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.gains)

    @property
    def p95_s(self) -> float:
        """The median of the rounds."""
        return statistics.median(seen.p95_s for seen in self.seen)

    def is_better(self) -> bool:
        """Whether it gains more than noise: in every round, and in the median more than the present one's own swing."""
        return min(self.gains) > 1 and self.gain > 1 + max(MARGIN, self.noise)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A search: where it began, where it ended, and all that was compared on the way, in order."""

    first: Choice
    best: Choice
    compared: tuple[Compared, ...]


def tune(first: Choice, try_out: Try, *, cores: int, rounds: int, p95_s: float | None = None) -> Outcome:
    """Look for a way to serve that gives more, setting by setting.

    Args:
        first: the present way.
        try_out: measures one.
        cores: how many instances and threads may share.
        rounds: how often each is tried.
        p95_s: the budget: ways whose 95th percentile is longer are no choice, and one that keeps to it is better than
            one that does not.
    """
    best = first
    everything: list[Compared] = []
    for alternatives in (_shared_out, _batches, _delays):
        ways = [each for each in dict.fromkeys(alternatives(best, cores)) if each != best]
        compared = compare(best, ways, try_out, rounds)
        everything += compared
        best = _choose(best, compared, p95_s)
    return Outcome(first, best, tuple(everything))


def compare(present: Choice, ways: Sequence[Choice], try_out: Try, rounds: int) -> list[Compared]:
    """Try each way and the present one in every round; the present one first and last, which shows the noise."""
    tried: dict[Choice, list[Seen]] = {way: [] for way in ways}
    presents: list[tuple[Seen, Seen]] = []
    for turn in range(rounds):
        before = try_out(present)
        for way in ways if turn % 2 == 0 else reversed(ways):
            tried[way].append(try_out(way))
        presents.append((before, try_out(present)))
    noise = max(abs(before.per_s - after.per_s) / _mean(before, after) for before, after in presents)
    seen = tuple(Seen(_mean(*pair), (pair[0].p95_s + pair[1].p95_s) / 2) for pair in presents)
    found = [Compared(present, seen, (1.0,) * rounds, noise)]
    for way, each in tried.items():
        gains = tuple(one.per_s / other.per_s for one, other in zip(each, seen, strict=True))
        found.append(Compared(way, tuple(each), gains, noise))
    return found


def _choose(present: Choice, compared: Sequence[Compared], p95_s: float | None) -> Choice:
    """The way that gains most, of those in budget; the present one where none gains more than noise."""
    kept = [each for each in compared if p95_s is None or each.p95_s <= p95_s]
    if not any(each.choice == present for each in kept) and kept:
        return max(kept, key=lambda each: each.gain).choice
    better = [each for each in kept if each.is_better()]
    return max(better, key=lambda each: each.gain).choice if better else present


def _mean(one: Seen, other: Seen) -> float:
    return (one.per_s + other.per_s) / 2


def _shared_out(best: Choice, cores: int) -> Iterator[Choice]:
    """Instances times threads: all cores, or half of them for each of encoder and decoder."""
    for instances in (1, 2, 4, 8):
        for threads in (1, 2, 4, 8):
            if cores / 2 <= instances * threads <= cores:
                yield replace(best, instances=instances, threads=threads)


def _batches(best: Choice, cores: int) -> Iterator[Choice]:
    del cores
    for size in (8, 16, 32):
        yield replace(best, max_batch_size=size)


def _delays(best: Choice, cores: int) -> Iterator[Choice]:
    del cores
    for delay_ms in (0.0, 2.0, 5.0, 10.0, 30.0):
        yield replace(best, queue_delay_ms=delay_ms)
