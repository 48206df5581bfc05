"""`callscope tune`."""

from __future__ import annotations

import asyncio
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callscope.checkout import find, model_repository
from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG, with_settings
from callscope.embedded import prepare_environment
from callscope.errors import ResultUnwritable, SettingsInvalid
from callscope.settings import Loaded, Settings
from callscope.telemetry import STDERR, say
from callscope.triton.transcriber import Transcriber
from callscope.triton.transport import connect
from callscope.tuning.profile import render_profile
from callscope.tuning.trial import Bench, Seen
from callscope.tuning.tune import Outcome
from callscope.tuning.tune import tune as search
from callscope.tuning.variant import Choice, choice_of
from callscope.tuning.windows import Request, read_windows

if TYPE_CHECKING:
    from callscope_server.environment import Environment

MS_PER_S = 1000


@with_settings("repository", "server_environment", "startup_timeout_s", *LOG)
def tune(
    loaded: Loaded,
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", readable=False, help="The profile to write, where one is better.")
    ] = Path("tuned.toml"),
    calls: Annotated[
        Path | None, typer.Option(readable=False, help="A folder of recordings to measure with. [the demo's]")
    ] = None,
    p95_ms: Annotated[
        float | None, typer.Option(min=0, help="The budget: 95 % of the windows within so many milliseconds.")
    ] = None,
    in_flight: Annotated[int, typer.Option(min=1, help="Windows without an answer at any time.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="How often each way is tried.")] = 3,
    trial_s: Annotated[float, typer.Option(min=0.1, help="Seconds that one trial counts.")] = 5.0,
) -> None:
    """Find the instances, threads, batch and queue delay that suit this machine.

    Each way is served by a Triton of its own over a copy of the repository, which is not changed. A profile is written
    only where another way gives more than noise: `callscope export … --profile tuned.toml` uses it.
    """
    settings = loaded.settings
    repository = model_repository(settings).resolve()
    first = choice_of(repository)
    environment = prepare_environment(settings.server_environment)
    windows = _windows(repository, environment, _folder(calls), settings)
    bench = Bench(repository, environment, windows, in_flight, trial_s, settings.startup_timeout_s)
    budget_s = None if p95_ms is None else p95_ms / MS_PER_S
    with STDERR.status("Measuring …") as status:

        def try_out(choice: Choice) -> Seen:
            status.update(f"Measuring {choice} …")
            return bench.try_out(choice)

        outcome = search(first, try_out, cores=_cores(), rounds=rounds, p95_s=budget_s)
    _show(outcome)
    if outcome.best == first:
        say(f"Nothing is better by more than noise: {first} stays.")
        return
    _write(output, render_profile(repository, outcome.best, f"{_cores()} cores of {platform.machine()}"))
    say(f"Better: {outcome.best}. Written: {output}; give it to `callscope export … --profile {output}`.")


def _folder(calls: Path | None) -> Path:
    demo = find("demo")
    if calls is None and demo is None:
        raise SettingsInvalid("There are no demo calls here to measure with. Name a folder of recordings with --calls.")
    return calls or Path(str(demo)) / "calls"


def _windows(repository: Path, environment: Environment, folder: Path, settings: Settings) -> list[Request]:
    """What the recogniser is to be asked for; the server says how long its windows are."""
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  only who needs a server loads it

    async def read(url: str) -> list[Request]:
        transport = connect(url)
        try:
            return read_windows(folder, await Transcriber.from_server(transport), settings)
        finally:
            await transport.close()

    with (
        STDERR.status("Cutting the recordings …"),
        TritonServer(repository, environment=environment, startup_timeout_s=settings.startup_timeout_s) as server,
    ):
        return asyncio.run(read(f"grpc://{server.endpoints.grpc}"))


def _show(outcome: Outcome) -> None:
    table = new_table("Instances", "Threads", "Batch", "Delay ms", "Windows/s", "p95 ms", "Gain", "Rounds", "")
    for each in outcome.compared:
        choice, rates = each.choice, sorted(seen.per_s for seen in each.seen)
        table.add_row(
            *(str(value) for value in (choice.instances, choice.threads, choice.max_batch_size)),
            f"{choice.queue_delay_ms:g}",
            f"{rates[len(rates) // 2]:.1f}",
            f"{each.p95_s * MS_PER_S:.0f}",
            f"{each.gain:.2f}",
            f"{min(each.gains):.2f}-{max(each.gains):.2f}",
            "best" if choice == outcome.best else "",
        )
    stdout_console().print(table)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultUnwritable(
            f"The profile cannot be written to {path} ({error.strerror}). Choose another with --output."
        ) from error


def _cores() -> int:
    return len(os.sched_getaffinity(0))
