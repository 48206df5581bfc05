"""The default plan: what the server can do, how latency grows up to there, a mixed load, and calls in progress.

Each part is a run of Locust over loadtest/locustfile.py; what comes later takes its load from what came before.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadtest.figures import Found, capacity, found
from loadtest.places import ROOT, environment
from loadtest.samples import Results, read_results

Say = Callable[[str], None]
STEPS = 20
"""Users that together send as much as the server can do."""
STEADY_USERS = 16


class RunFailed(RuntimeError):
    """A part of the plan has no results; the message says which."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to load a server.

    Attributes:
        host: where it is; with several addresses, separated by commas, users take turns.
        folder: for what is found.
        in_flight: requests without an answer while capacity is measured.
        saturation_s: how long that takes.
        ramp_s: how long the load grows.
        steady_s: how long the mixed load lasts.
        steady_share: of the capacity, that the mixed load is.
        trial_s: how long a number of calls in progress is tried.
        target_s: in which 95 % of live words must be there.
        tokens: the most a window's text may take; 0: by its seconds of speech.
        calls: a folder of recordings; the demo's when None.
    """

    host: str
    folder: Path
    in_flight: int = 32
    saturation_s: float = 20.0
    ramp_s: float = 80.0
    steady_s: float = 30.0
    steady_share: float = 0.4
    trial_s: float = 20.0
    target_s: float = 2.0
    tokens: int = 0
    calls: Path | None = None

    def carry_out(self, say: Say) -> Found:
        """Run every part.

        Raises:
            RunFailed: one of them has no results; Locust has said why.
        """
        say(f"Capacity: {self.in_flight} windows in flight for {self.saturation_s:g} s")
        users = (f"-u{self.in_flight}", f"-r{self.in_flight}", f"-t{round(self.saturation_s)}s")
        closed = self._locust("capacity", "Closed", *users)
        whole = capacity(closed).windows_per_s
        say(f"It answers {whole:.1f} windows a second. Ramp: 0.2 to 1.2 of that, {self.ramp_s:g} s")
        ramp = self._locust("shapes/ramp", "Windows", *_shaped(STEPS, self.ramp_s), f"--rate={whole / STEPS}")
        say(f"Mixed load: {self.steady_share:g} of the capacity in windows, texts and calls, {self.steady_s:g} s")
        rate = self.steady_share * whole / STEADY_USERS
        steady = self._locust("shapes/steady", *_shaped(STEADY_USERS, self.steady_s), f"--rate={rate}")
        first = max(1, round(0.5 * whole / ramp.facts["windows_a_live_second"]))
        say(f"Calls in progress, from {first} on: the most with 95 % of the words within {self.target_s:g} s")
        live = self._locust(
            "shapes/live",
            "Live",
            *_shaped(first, self.trial_s),
            f"--target={self.target_s}",
            f"--timeout={max(10.0, 4 * self.target_s)}",
        )
        return found(closed, ramp, steady, live, rate=whole / STEPS, target_s=self.target_s)

    def _locust(self, shape: str, *arguments: str) -> Results:
        file = self.folder / f"{Path(shape).name}.jsonl"
        files = f"loadtest/locustfile.py,loadtest/{shape}.py"
        command = [sys.executable, "-m", "locust", "-f", files, "--headless", "--only-summary", "--host", self.host]
        command += ["--loglevel", "WARNING", "--exit-code-on-error", "0", "--tokens", str(self.tokens)]
        command += [*arguments, "--results", str(file.resolve())]
        command += ["--calls", str(self.calls.resolve())] if self.calls else []
        file.unlink(missing_ok=True)
        log = self.folder / "locust.log"
        with log.open("a", encoding="utf-8") as sink:
            ended = subprocess.run(
                command, cwd=ROOT, env=environment(), check=False, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
            )
        if ended.returncode or not file.is_file() or not (results := read_results(file)).samples:
            last = log.read_text(encoding="utf-8").strip().rpartition("\n")[2]
            raise RunFailed(f"Locust's run of {shape} has no results. Its last words, in {log}: {last}")
        return results


def _shaped(peak: int, duration_s: float) -> tuple[str, str]:
    return f"--peak={peak}", f"--duration={duration_s}"
