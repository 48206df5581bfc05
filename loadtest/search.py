"""The largest load that still meets a target, found in few trials."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Search:
    """Looks for the largest count that passes, where a larger one passes no better than a smaller.

    Attributes:
        first: the count to begin with.
        resolution: the search ends when what failed is at most so many times what passed.
        most_trials: and at the latest after so many.
        trials: counts tried, in order, and whether they passed.
    """

    first: int
    resolution: float = 1.1
    most_trials: int = 8
    trials: list[tuple[int, bool]] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """The largest count that passed below all that failed; 0 without any."""
        return max((count for count, ok in self.trials if ok and count < self._failed), default=0)

    @property
    def _failed(self) -> float:
        return min((count for count, ok in self.trials if not ok), default=float("inf"))

    def next(self) -> int | None:
        """The count to try next; None when the search is over."""
        if not self.trials:
            return max(1, self.first)
        low, high = self.passed, self._failed
        if len(self.trials) >= self.most_trials or high <= max(low * self.resolution, low + 1):
            return None
        if high == float("inf"):
            return max(low + 1, round(low * 1.5))
        return max(low + 1, round((low * high) ** 0.5)) if low else max(1, int(high // 2))

    def tell(self, count: int, *, passed: bool) -> None:
        """Note how a trial went."""
        self.trials.append((count, passed))
