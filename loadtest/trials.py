"""Numbers of calls in progress on trial, one after another, judged by the words that came meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loadtest.samples import Sample, quantile
from loadtest.search import Search

SETTLING = 0.25
"""Of a trial's time, in which the last trial's requests are answered and this one's lines come in."""
ENOUGH = 20
"""Windows without which a trial says nothing."""
LONGEST = 4.0
"""How many times its time a trial may take to have that many."""
MAY_BE_LATE = 0.05
HOPELESS = 10
"""Windows too late, and at least twice as many as may be, with which a trial need not go on."""


@dataclass(slots=True)
class Trials:
    """A search whose trials take their time.

    Attributes:
        search: which numbers are tried.
        trial_s: how long each is.
        target_s: in which 95 % of the words must be there.
        say: told how each trial ended.
    """

    search: Search
    trial_s: float
    target_s: float
    say: Callable[[str], None]
    _count: int | None = None
    _since_s: float = 0.0
    _seen: int = field(default=0)

    def count(self, now_s: float, samples: Sequence[Sample]) -> int | None:
        """How many calls there shall be now; None when the search is over.

        Args:
            now_s: on the clock of the samples.
            samples: all so far, in the order of their answers.
        """
        if self._count is None:
            self._begin(now_s, samples)
            return self._count
        from_s = self._since_s + SETTLING * self.trial_s
        mine = [sample for sample in samples[self._seen :] if sample.due_s >= from_s]
        if self._is_over(now_s - self._since_s, mine):
            p95_s = quantile([_latency_s(sample) for sample in mine], 0.95)
            passed = len(mine) >= ENOUGH and p95_s <= self.target_s
            self.search.tell(self._count, passed=passed)
            self.say(
                f"{self._count} calls: {len(mine)} windows, p95 {p95_s:.2f} s, {'in' if passed else 'not in'} time"
            )
            self._begin(now_s, samples)
        return self._count

    def _begin(self, now_s: float, samples: Sequence[Sample]) -> None:
        self._count, self._since_s, self._seen = self.search.next(), now_s, len(samples)

    def _is_over(self, took_s: float, mine: Sequence[Sample]) -> bool:
        if took_s >= self.trial_s:
            return len(mine) >= ENOUGH or took_s >= LONGEST * self.trial_s
        late = sum(_latency_s(sample) > self.target_s for sample in mine)
        return late >= max(HOPELESS, 2 * MAY_BE_LATE * len(mine))


def _latency_s(sample: Sample) -> float:
    return float("inf") if sample.error else sample.latency_s
