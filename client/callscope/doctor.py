"""Whether this machine can serve and analyse: one finding a check, each with what to do about it."""

from __future__ import annotations

import asyncio
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from callscope.checkout import model_repository
from callscope.errors import AccessDenied, CallscopeError
from callscope.repository_advice import advise
from callscope.repository_check import check_models
from callscope.settings import Settings
from callscope.triton.tls import Tls
from callscope.triton.transport import addresses, connect
from callscope_server.environment import check_environment, default_environment
from callscope_server.errors import ServerError
from callscope_server.findings import Finding
from callscope_server.model_index import is_ready
from callscope_server.ports import choose_ports

PYTHONS = ((3, 11), (3, 12))
PORTS = (8000, 8001, 8002)
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  where POSIX shared memory is on Linux
SHARED_MEMORY_BYTES = 32 * 2**20
ENVIRONMENT_BYTES = 2 * 2**30
RESULTS_BYTES = 100 * 2**20
GPU_TIMEOUT_S = 10.0
PACKAGES = (
    "av", "numpy", "protobuf", "pydantic", "pydantic-settings", "rich", "soundfile", "soxr", "tokenizers",
    "tritonclient", "typer", "webrtcvad-wheels",
)  # fmt: skip


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Every check, in the order in which a reader should mend what they find; changes nothing on the machine."""
    environment = settings.server_environment or default_environment()
    return (
        check_python(),
        check_packages(PACKAGES),
        *check_server_environment(environment),
        check_shared_memory(SHARED_MEMORY, SHARED_MEMORY_BYTES),
        check_disk(environment),
        check_gpu(),
        check_ports(PORTS),
        check_repository(settings),
        *advise_on_repository(settings),
        *(check_server(url, settings) for url in addresses(settings.server or "")),
    )


def check_python() -> Finding:
    """Whether this Python is one that Callscope, and Triton's Python backend, are made for."""
    found = f"Python {platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] in PYTHONS:
        return Finding("python", True, found)
    return Finding("python", False, found, "Install Callscope with Python 3.11 or 3.12.")


def check_packages(names: Sequence[str]) -> Finding:
    """Whether the client's own packages are installed."""
    missing = [name for name in names if _version(name) is None]
    if missing:
        remedy = f"Run {sys.executable} -m pip install {' '.join(missing)}, or install Callscope again."
        return Finding("packages", False, f"not installed: {', '.join(missing)}", remedy)
    return Finding("packages", True, f"{len(names)} installed, tritonclient {_version('tritonclient')}")


def check_server_environment(path: Path) -> list[Finding]:
    """What is in the server's own environment: tritonserver, libpython, NumPy, ONNX Runtime. Fine if not made yet."""
    if not path.exists():
        detail = f"not made yet: the first server that starts makes {path}, or `make` does"
        return [Finding("server environment", True, detail)]
    return check_environment(path)


def check_shared_memory(folder: Path, needed_bytes: int) -> Finding:
    """Whether tensors can pass between Triton and its Python backend, which they do in shared memory."""
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError:
        return Finding("shared memory", False, f"there is no {folder}", f"Mount a tmpfs at {folder}.")
    found = f"{_size(free_bytes)} free in {folder}"
    if free_bytes >= needed_bytes:
        return Finding("shared memory", True, found)
    remedy = f"Give it {_size(needed_bytes)}: clear {folder}, or start the container with --shm-size=1g."
    return Finding("shared memory", False, found, remedy)


def check_disk(environment: Path) -> Finding:
    """Whether there is room for the server's environment, if it is still to be made, or for logs and results."""
    needed_bytes = RESULTS_BYTES if environment.exists() else ENVIRONMENT_BYTES
    place = next(folder for folder in (environment, *environment.absolute().parents) if folder.is_dir())
    free_bytes = shutil.disk_usage(place).free
    found = f"{_size(free_bytes)} free in {place}"
    if free_bytes >= needed_bytes:
        return Finding("disk", True, found)
    remedy = f"Make room for {_size(needed_bytes)}, or set CALLSCOPE_SERVER_ENVIRONMENT to a folder that has it."
    return Finding("disk", False, found, remedy)


def check_gpu() -> Finding:
    """Which GPUs there are. None is fine: the server then runs on the CPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("gpu", True, "none: models run on the CPU")
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, check=True, timeout=GPU_TIMEOUT_S)  # noqa: S603  found on PATH
    except (OSError, subprocess.SubprocessError) as error:
        detail = f"nvidia-smi fails: {type(error).__name__}"
        return Finding("gpu", False, detail, "Repair the NVIDIA driver, or serve models with the cpu profile.")
    return Finding("gpu", True, "; ".join(answer.stdout.split("\n")[:-1]) or "none: models run on the CPU")


def check_ports(ports: Sequence[int]) -> Finding:
    """Whether the ports that `callscope serve` takes by default are free, or Triton's already."""
    if is_ready(f"127.0.0.1:{ports[0]}"):
        return Finding("ports", True, f"a Triton answers at 127.0.0.1:{ports[0]}")
    try:
        choose_ports("127.0.0.1", ports)
    except ServerError as error:
        return Finding(
            "ports", False, str(error).split(". ")[0], "Give `callscope serve` other ports, such as --http-port 0."
        )
    return Finding("ports", True, f"{', '.join(map(str, ports))} are free")


def check_repository(settings: Settings) -> Finding:
    """Whether every model has its config and graph, and the graph is the one the config names."""
    try:
        return check_models(model_repository(settings))
    except CallscopeError as error:
        detail, _, remedy = str(error).partition(". ")
        return Finding("repository", False, detail, remedy)


def advise_on_repository(settings: Settings) -> list[Finding]:
    """What in the repository's configs will cost speed or safety; nothing where there is no repository."""
    try:
        return advise(model_repository(settings))
    except CallscopeError:
        return []


def check_server(url: str, settings: Settings) -> Finding:
    """Whether a configured server answers, and every model it has is ready."""
    tls = Tls(settings.tls_ca, settings.tls_cert, settings.tls_key)

    async def ask() -> list[str]:
        transport = connect(url, headers=settings.header_fields(), tls=tls)
        try:
            models = await transport.models()
        except AccessDenied:  # the list is for administrators; that our key opens the models is what we need
            await transport.version("transcribe")
            return []
        else:
            return [f"{model.name} {model.state}".strip() for model in models if model.state != "READY"]
        finally:
            await transport.close()

    try:
        waiting = asyncio.run(ask())
    except CallscopeError as error:
        detail, _, remedy = str(error).partition(". ")
        return Finding("server", False, detail, remedy)
    if waiting:
        return Finding("server", False, f"{url}: {', '.join(waiting)}", "Read the server's log, then restart it.")
    return Finding("server", True, f"{url} answers")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _size(count_bytes: int) -> str:
    gib = count_bytes / 2**30
    return f"{gib:.1f} GiB" if gib >= 1 else f"{count_bytes / 2**20:.0f} MiB"
