"""`python -m callscope_server REPOSITORY`: a server in the foreground."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from callscope_server.environment import ensure_environment
from callscope_server.errors import ServerError
from callscope_server.launcher import TritonServer

INTERRUPTED = 130


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; `--help` shows it."""
    parser = argparse.ArgumentParser(
        prog="python -m callscope_server", description="Serve a model repository with Triton."
    )
    parser.add_argument("repository", type=Path, help="the model repository")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    for name, port in (("http", 8000), ("grpc", 8001), ("metrics", 8002)):
        parser.add_argument(f"--{name}-port", type=int, default=port, help="0 for any free one (default: %(default)s)")
    parser.add_argument("--log-file", type=Path, help="where Triton's log goes")
    parser.add_argument("--environment", type=Path, help="the server's environment; made if it is not there")
    parser.add_argument("--drain", type=float, default=5.0, help="seconds running requests get (default: %(default)s)")
    parser.add_argument("--startup-timeout", type=float, default=120.0, help="seconds (default: %(default)s)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Serve until interrupted.

    Raises:
        ServerError: the server cannot be started, or ended by itself.
    """
    server = TritonServer(
        options.repository,
        host=options.host,
        http_port=options.http_port,
        grpc_port=options.grpc_port,
        metrics_port=options.metrics_port,
        log_file=options.log_file,
        environment=ensure_environment(options.environment, progress=_say),
        startup_timeout_s=options.startup_timeout,
        drain_s=options.drain,
    )
    with server:
        for model in server.models():
            _say(f"{model.name} {model.version} {model.state}")
        _say(f"ready: http {server.endpoints.http}, grpc {server.endpoints.grpc}, metrics {server.endpoints.metrics}")
        server.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn errors and signals into exit codes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        run(parse_arguments(arguments))
    except ServerError as error:
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
