"""The blows, dealt while the batch works."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.chaos.batch import DONE, SET_ASIDE, Batch
from bench.chaos.database import Database
from bench.chaos.plan import Blow, Due
from callscope_server.launcher import TritonServer

PAUSES_S = (0.1, 1.5)
LOOK_S = 0.05
GIVES_UP_S = 180.0
MOST_S = 3600.0


@dataclass(slots=True)
class Storm:
    """A batch, what it needs, and what was done to them.

    Attributes:
        dealt: how often each blow fell.
        late: how many fell after the last result.
        again: how often the batch ended without being done, and was run again.
        said_full: how often it said that the disk is full.
    """

    batch: Batch
    server: TritonServer
    database: Database
    calls: int
    chance: random.Random
    told: Callable[[str], None] = print
    dealt: Counter[Blow] = field(default_factory=Counter)
    late: int = 0
    again: int = 0
    said_full: int = 0

    def rage(self, blows: Sequence[Due]) -> None:
        """Deal all blows, and let the batch finish."""
        left, began = list(blows), time.monotonic()
        deal: Mapping[Blow, Callable[[], None]] = {
            Blow.SERVER: self._kill_server,
            Blow.DATABASE: lambda: self.database.restart(self.chance),
            Blow.BATCH: self._kill_batch,
            Blow.FULL: self._fill_disk,
        }
        self.batch.start()
        while time.monotonic() - began < MOST_S:
            done = self.database.count() or 0
            if left and done >= left[0].results:
                blow = left.pop(0).blow
                self.told(f"{done:4} results: {blow}")
                self.late += done >= self.calls
                deal[blow]()
                self.dealt[blow] += 1
            elif self.batch.has_ended():
                if self.batch.wait() in {DONE, SET_ASIDE} and not left:
                    return
                self.again += 1
                self.batch.start()
            time.sleep(LOOK_S)
        raise SystemExit(f"The batch was not done within {MOST_S:g} s:\n{self.batch.last_words()}")

    def _pause(self) -> None:
        time.sleep(self.chance.uniform(*PAUSES_S))

    def _kill_server(self) -> None:
        os.kill(self.server.pid, signal.SIGKILL)
        self._pause()
        self.server.restart()

    def _kill_batch(self) -> None:
        self.batch.kill()
        self._pause()
        self.batch.start()

    def _fill_disk(self) -> None:
        """Until the batch says that it cannot go on."""
        self.database.fill()
        try:
            self.batch.wait(GIVES_UP_S)
        except subprocess.TimeoutExpired:
            self.told("     the batch went on for all that")
        self.said_full += "has no room" in self.batch.last_words()
        self.database.empty()
        if self.batch.has_ended():
            self.again += 1
            self.batch.start()
