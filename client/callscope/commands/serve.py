"""`callscope serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callscope.checkout import model_repository
from callscope.commands.console import new_table, stdout_console
from callscope.commands.options import LOG_STYLE, with_settings
from callscope.embedded import prepare_environment
from callscope.errors import SettingsInvalid
from callscope.settings import COLLECTOR, Loaded
from callscope.telemetry import STDERR, say
from callscope.telemetry.tracing import traces_url
from callscope.triton.tls import Tls

if TYPE_CHECKING:
    from callscope_server.guard import Guard
    from callscope_server.launcher import TritonServer

HTTP_PORT, GRPC_PORT, METRICS_PORT = 8000, 8001, 8002
DRAIN_S = 5.0
EXAMPLE = "http://127.0.0.1:4318"


@with_settings("repository", "server_environment", "startup_timeout_s", *LOG_STYLE)
def serve(
    loaded: Loaded,
    *,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(help="0 takes any free port.")] = HTTP_PORT,
    grpc_port: Annotated[int, typer.Option(help="0 takes any free port.")] = GRPC_PORT,
    metrics_port: Annotated[int, typer.Option(help="0 takes any free port.")] = METRICS_PORT,
    log_file: Annotated[Path, typer.Option(readable=False, help="Where Triton's log goes.")] = Path("triton.log"),
    client_key: Annotated[
        Path | None, typer.Option(help="A file with the key that requests must carry to ask models.", readable=False)
    ] = None,
    admin_key: Annotated[
        Path | None, typer.Option(help="A file with the key to load models and to look inside.", readable=False)
    ] = None,
    grpc_cert: Annotated[
        Path | None, typer.Option(help="The certificate of gRPC, in PEM form: TLS and nothing else.", readable=False)
    ] = None,
    grpc_cert_key: Annotated[Path | None, typer.Option(help="The private key of --grpc-cert.", readable=False)] = None,
    grpc_client_ca: Annotated[
        Path | None, typer.Option(help="What has signed the certificates that clients must show.", readable=False)
    ] = None,
    trace_to: Annotated[
        str, typer.Option(metavar="URL", help="Where Triton sends spans of its requests, as http://HOST:4318.")
    ] = "",
) -> None:
    """Serve the model repository with Triton.

    Keys and certificates are described in docs/security.md.

    Ctrl-C or SIGTERM end it, with exit code 0; requests that run then get 5 seconds to finish.
    """
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  only who needs a server loads it
    from callscope_server.repository import check_repository  # noqa: PLC0415  as above

    settings = loaded.settings
    server = TritonServer(
        check_repository(model_repository(settings)),
        host=host,
        http_port=http_port,
        grpc_port=grpc_port,
        metrics_port=metrics_port,
        log_file=log_file,
        environment=prepare_environment(settings.server_environment),
        startup_timeout_s=settings.startup_timeout_s,
        drain_s=DRAIN_S,
        guard=_guard(client_key, admin_key, grpc_cert, grpc_cert_key, grpc_client_ca),
        trace_to=_collector(trace_to),
    )
    with STDERR.status("Loading the models …") as status, server:
        status.stop()
        try:
            _show(server, log_file)
            server.wait()
        except KeyboardInterrupt:
            say("Stopping Triton …")
    say("Stopped.")


def _guard(
    client_key: Path | None, admin_key: Path | None, cert: Path | None, cert_key: Path | None, ca: Path | None
) -> Guard:
    """What the server asks of its clients.

    Raises:
        SettingsInvalid: a file is missing, or one is given without the other that it needs.
        ServerError: a key cannot be used.
    """
    from callscope_server.guard import Guard, read_key  # noqa: PLC0415  only who needs a server loads it

    Tls(ca, cert, cert_key).check(("--grpc-client-ca", "--grpc-cert", "--grpc-cert-key"))
    if ca and not cert:
        raise SettingsInvalid("--grpc-client-ca is given without --grpc-cert. Give both, or neither.")
    client, admin = (read_key(file) if file else "" for file in (client_key, admin_key))
    return Guard(client, admin, *(file and file.absolute() for file in (cert, cert_key, ca)))


def _collector(trace_to: str) -> str:
    """Where spans go; empty for nowhere.

    Raises:
        SettingsInvalid: that is no address.
    """
    if trace_to and not COLLECTOR.fullmatch(trace_to):
        raise SettingsInvalid(f"--trace-to cannot be {trace_to!r}. Write http://HOST:PORT, for example {EXAMPLE}.")
    return traces_url(trace_to) if trace_to else ""


def _show(server: TritonServer, log_file: Path) -> None:
    """What is served on stdout, and where."""
    console = stdout_console()
    table = new_table("Model", "Version", "State")
    for name, version, state, reason in server.models():
        table.add_row(name, version, f"{state} {reason}".strip())
    console.print(table)
    places = {
        "gRPC": f"grpc://{server.endpoints.grpc}",
        "HTTP": f"http://{server.endpoints.http}",
        "metrics": f"http://{server.endpoints.metrics}/metrics",
        "log": str(log_file),
    }
    for name, place in places.items():
        console.print(f"{name:<8} {place}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nAnalyse with: callscope analyze --server grpc://{server.endpoints.grpc} FILE", soft_wrap=True)
    say("Ctrl-C stops it.")
