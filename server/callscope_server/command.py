"""How tritonserver is called: its backends side by side in a folder, its arguments, its environment variables."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from callscope_server.environment import Environment
from callscope_server.libraries import library_path

OUR_BACKENDS = Path(__file__).with_name("backends")
CACHE_BYTES = 64 * 2**20
TRACE_EVERY_MS = 1000
"""How long spans wait until they are sent; Triton's own 5 s would lose the last ones of a short run."""


def assemble_backends(folder: Path, environment: Environment) -> Path:
    """Put the wheel's Python backend and our onnxruntime backend beside each other, as Triton wants them.

    The stub is linked, because it finds its libraries relative to where it really is. Triton refuses a link in place of
    the backend's own library, so that one is copied.

    Returns:
        The folder for `--backend-directory`.
    """
    python = folder / "python"
    python.mkdir(parents=True)
    for file in (environment.triton / "backends" / "python").iterdir():
        if file.is_file():
            shutil.copy2(file, python / file.name)
    (python / environment.stub.name).unlink(missing_ok=True)
    (python / environment.stub.name).symlink_to(environment.stub)
    for backend in OUR_BACKENDS.iterdir():
        if (backend / "model.py").is_file():
            (folder / backend.name).symlink_to(backend, target_is_directory=True)
    return folder


def triton_arguments(
    environment: Environment,
    repository: Path,
    backends: Path,
    *,
    host: str,
    ports: tuple[int, ...],
    shared_memory_prefix: str,
    trace_to: str = "",
) -> list[str]:
    """The command line of a server that loads the whole repository or does not start.

    Args:
        environment: where tritonserver is.
        repository: the model repository, absolute.
        backends: what `assemble_backends` made.
        host: the address to listen on.
        ports: of HTTP, gRPC and metrics.
        shared_memory_prefix: how the names of its shared memory regions begin.
        trace_to: where spans of requests are sent, as http://HOST:4318/v1/traces; empty for nowhere.
    """
    listeners = [
        f"--{name}-{what}={value}"
        for name, port in zip(("http", "grpc", "metrics"), ports, strict=True)
        for what, value in (("address", host), ("port", port))
    ]
    return [
        str(environment.tritonserver),
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        "--model-control-mode=none",
        "--exit-on-error=true",
        "--strict-readiness=true",
        "--disable-auto-complete-config",
        f"--cache-directory={environment.triton / 'caches'}",
        f"--cache-config=local,size={CACHE_BYTES}",
        f"--backend-config=python,shm-region-prefix-name={shared_memory_prefix}",
        *listeners,
        *(trace_arguments(trace_to) if trace_to else ()),
    ]


def trace_arguments(url: str) -> list[str]:
    """Every request becomes spans of OpenTelemetry, which join those of whoever sent it."""
    config = (
        "mode=opentelemetry",
        "rate=1",
        "level=TIMESTAMPS",
        f"opentelemetry,url={url}",
        "opentelemetry,resource=service.name=triton",
        f"opentelemetry,bsp_schedule_delay={TRACE_EVERY_MS}",
    )
    return [f"--trace-config={one}" for one in config]


def triton_environment(environment: Environment) -> dict[str, str]:
    """Environment variables with which the Python stub runs in the server's environment and nowhere else."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"
    }
    return kept | {
        "PATH": f"{environment.path / 'bin'}:{kept.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": library_path(environment.library_folders),
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
