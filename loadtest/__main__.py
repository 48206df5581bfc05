"""`python -m loadtest`: the default plan against a server, its verdict and its pictures.

Exit codes: 0 in budget, 1 over it, 2 wrong use, 4 a server that cannot be reached or started.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import describe_machine

from callscope.embedded import prepare_environment
from callscope.settings import Settings
from callscope_server.errors import ServerError
from callscope_server.launcher import TritonServer
from loadtest import page, picture, verdict
from loadtest.figures import figures
from loadtest.plan import Plan, RunFailed

BUDGET = Path(__file__).with_name("budget.toml")
REPOSITORY = Path(__file__).parents[1] / "model_repository"
SERVER_FAILED = 4


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtest", description=__doc__)
    parser.add_argument("--server", help="grpc://HOST:PORT, http://HOST:PORT, or both with a comma [one of its own]")
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help="what its own server serves")
    parser.add_argument("--budget", type=Path, default=BUDGET, help="limits, in TOML [loadtest/budget.toml]")
    parser.add_argument("--output", type=Path, default=Path("load"), help="a folder for what is found [load]")
    parser.add_argument("--calls", type=Path, help="a folder of recordings [the demo's]")
    parser.add_argument("--target", type=float, default=2.0, help="seconds in which 95 %% of live words must be there")
    parser.add_argument("--tokens", type=int, default=0, help="the most a window may take [by its seconds of speech]")
    parser.add_argument("--in-flight", type=int, default=32, help="requests in flight while capacity is measured")
    parser.add_argument("--stretch", type=float, default=1.0, help="factor on the length of every part")
    return parser.parse_args()


def main() -> int:
    """Run the plan."""
    options = parse()
    try:
        limits = verdict.read_budget(options.budget)
        options.output.mkdir(parents=True, exist_ok=True)
        with _served(options) as host:
            found = _plan(options, host).carry_out(_say)
        measured = figures(found)
        rows = verdict.judge(limits, measured)
    except verdict.BudgetInvalid as error:
        _say(str(error))
        return verdict.WRONG_USE
    except (RunFailed, ServerError) as error:
        _say(str(error))
        return SERVER_FAILED
    where = options.server or f"a Triton of its own over {options.repository.name}"
    title = f"{where}, loaded from {describe_machine()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    picture.save(picture.draw(found, options.target, title), options.output)
    page.write(options.output, found, measured, rows, title)
    print(verdict.table(rows))
    if found.carried:
        carried, p95_s = found.carried.sources, found.carried.summary.p95_s
        print(f"{carried} calls in progress at once: 95 % of the words within {p95_s:.2f} s of a window's end.")
    print(f"{options.output / 'index.html'}")
    return verdict.exit_code(rows)


@contextmanager
def _served(options: argparse.Namespace) -> Iterator[str]:
    if options.server:
        yield options.server
        return
    environment = prepare_environment(Settings().server_environment)
    log = options.output / "triton.log"
    with TritonServer(options.repository, environment=environment, log_file=log, startup_timeout_s=600) as server:
        yield f"grpc://{server.endpoints.grpc},http://{server.endpoints.http}"


def _plan(options: argparse.Namespace, host: str) -> Plan:
    plan, stretch = Plan(host, options.output), options.stretch
    return Plan(
        host,
        options.output,
        in_flight=options.in_flight,
        saturation_s=plan.saturation_s * stretch,
        ramp_s=plan.ramp_s * stretch,
        steady_s=plan.steady_s * stretch,
        trial_s=plan.trial_s * stretch,
        target_s=options.target,
        tokens=options.tokens,
        calls=options.calls,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
