"""A server for the work at hand: the one that is configured, or one of our own for as long as it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from callscope.checkout import model_repository
from callscope.settings import Settings
from callscope.telemetry import STDERR, say
from callscope.telemetry.tracing import traces_url

if TYPE_CHECKING:
    from callscope_server.environment import Environment


@contextmanager
def server_url(settings: Settings) -> Iterator[str]:
    """The address of a Triton that is ready, for as long as the block runs; our own starts again if it dies.

    Raises:
        ServerError: the embedded server cannot be made or started.
        SettingsInvalid: there is no model repository to serve.
    """
    if settings.server:
        yield settings.server
        return
    from callscope_server.keeper import kept  # noqa: PLC0415  only who needs a server loads it
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  as above
    from callscope_server.repository import check_repository  # noqa: PLC0415  as above

    repository = check_repository(model_repository(settings))
    environment = prepare_environment(settings.server_environment)
    with STDERR.status("Starting Triton …") as status:
        server = TritonServer(
            repository,
            environment=environment,
            startup_timeout_s=settings.startup_timeout_s,
            trace_to=traces_url(settings.otlp_endpoint) if settings.otlp_endpoint else "",
        )
        with kept(server):
            status.stop()
            yield f"grpc://{server.endpoints.grpc}"


def prepare_environment(path: Path | None) -> Environment:
    """Make or check the server's own Python environment, telling the user each step.

    Raises:
        ServerError: it cannot be made, or cannot run the server.
    """
    from callscope_server.environment import ensure_environment  # noqa: PLC0415  as above

    with STDERR.status("Checking the server's environment …") as status:
        told: list[str] = []

        def tell(line: str) -> None:
            if not told:
                say(line)
            told.append(line)
            status.update(escape(line))

        return ensure_environment(path, progress=tell)
