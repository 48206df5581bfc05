"""The server's own Python environment: where it is, what is in it, and whether it is fit to run Triton."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from callscope_server.build import build, is_complete
from callscope_server.errors import EnvironmentBroken
from callscope_server.findings import Finding
from callscope_server.libraries import check_libpython, missing_libraries

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment that holds tritonserver, ONNX Runtime and NumPy below 2.

    Attributes:
        path: its folder, the one with `pyvenv.cfg`.
    """

    path: Path

    @property
    def python_version(self) -> str:
        """Such as "3.11"; empty where no Python is installed."""
        folders = sorted(self.path.glob("lib/python3.*"))
        return folders[-1].name.removeprefix("python") if folders else ""

    @property
    def site_packages(self) -> Path:
        """Where the packages are."""
        return self.path / "lib" / f"python{self.python_version}" / "site-packages"

    @property
    def triton(self) -> Path:
        """The wheel's folder of server binaries."""
        return self.site_packages / "pytriton" / "tritonserver"

    @property
    def tritonserver(self) -> Path:
        """The server's executable."""
        return self.triton / "bin" / "tritonserver"

    @property
    def stub(self) -> Path:
        """The executable that runs a Python model for Triton, built for this Python."""
        return self.triton / "python_backend_stubs" / self.python_version / "triton_python_backend_stub"

    @property
    def library_folders(self) -> tuple[Path, ...]:
        """Folders the server's programs search first: the interpreter's own libpython, then the wheel's libraries."""
        home = next((line for line in _lines(self.path / "pyvenv.cfg") if line.startswith("home")), "")
        prefix = Path(home.partition("=")[2].strip()).resolve().parent
        own = [prefix / "lib"] if any((prefix / "lib").glob(f"libpython{self.python_version}.so*")) else []
        return (*own, self.site_packages / "nvidia_pytriton.libs")


def default_environment() -> Path:
    """The folder of `CALLSCOPE_SERVER_ENVIRONMENT`, or one in the user's cache named by the packaged requirements."""
    if chosen := os.environ.get("CALLSCOPE_SERVER_ENVIRONMENT"):
        return Path(chosen).expanduser().absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "callscope" / f"server-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"


def ensure_environment(path: Path | None = None, *, progress: Callable[[str], None] = lambda _: None) -> Environment:
    """Make the server's environment where it is not there yet, and check it.

    An environment is made at most once however many processes ask for it, and is used only when it is complete. One
    that somebody else made (it has a `pyvenv.cfg` and none of our marks) is checked and otherwise left alone.

    Args:
        path: its folder; `default_environment()` if not given.
        progress: called with a line of text at each step.

    Raises:
        EnvironmentBroken: it cannot be made, or is not fit to run Triton.
    """
    folder = (path or default_environment()).expanduser().absolute()
    if not is_complete(folder, REQUIREMENTS):
        build(folder, REQUIREMENTS, progress)
    require_fit(check_environment(folder))
    return Environment(folder)


def require_fit(findings: list[Finding]) -> None:
    """Raise for the findings that are not ok.

    Raises:
        EnvironmentBroken: with every detail and remedy.
    """
    broken = [finding for finding in findings if not finding.ok]
    if broken:
        raise EnvironmentBroken(
            " ".join(f"{finding.detail[:1].upper()}{finding.detail[1:]}. {finding.remedy}" for finding in broken)
        )


def check_environment(path: Path) -> list[Finding]:
    """Look at an environment, in milliseconds and without changing it: one finding for each thing that can be wrong."""
    environment = Environment(path)
    if not environment.tritonserver.is_file() or not environment.stub.is_file():
        detail = f"the server's environment {path} holds no tritonserver for its Python"
        remedy = "Remove that folder to have it made on the next start, or set CALLSCOPE_SERVER_ENVIRONMENT to another."
        return [Finding("tritonserver", False, detail, remedy)]
    return [
        _check_tritonserver(environment),
        check_libpython(environment.stub, environment.python_version, environment.library_folders),
        _check_numpy(environment),
        _check_onnxruntime(environment),
    ]


def _check_tritonserver(environment: Environment) -> Finding:
    missing = missing_libraries(environment.tritonserver, environment.library_folders)
    if not missing:
        return Finding("tritonserver", True, f"tritonserver is in {environment.path}")
    detail = f"tritonserver does not find {', '.join(missing)}"
    remedy = "Install the system packages that hold them; Triton's wheel is built for glibc 2.35."
    return Finding("tritonserver", False, detail, remedy)


def _check_numpy(environment: Environment) -> Finding:
    version = _installed(environment, "numpy")
    pin = next(line for line in _lines(REQUIREMENTS) if line.startswith("numpy=="))
    where = f"the server's environment {environment.path}"
    remedy = f"Run {environment.path}/bin/python -m pip install {pin}, or remove that folder to have it made again."
    if version is None:
        return Finding("numpy", False, f"NumPy is missing in {where}", remedy)
    if int(version.split(".")[0]) >= 2:  # noqa: PLR2004 (the major version is the rule)
        detail = f"NumPy {version} is in {where}, and with NumPy 2 this tritonserver answers with empty tensors"
        return Finding("numpy", False, detail, remedy)
    return Finding("numpy", True, f"NumPy {version}")


def _check_onnxruntime(environment: Environment) -> Finding:
    for name in ("onnxruntime-gpu", "onnxruntime"):
        if version := _installed(environment, name):
            return Finding("onnxruntime", True, f"{name} {version}")
    pin = next(line for line in _lines(REQUIREMENTS) if line.startswith("onnxruntime=="))
    remedy = f"Run {environment.path}/bin/python -m pip install {pin}."
    return Finding(
        "onnxruntime", False, f"ONNX Runtime is missing in the server's environment {environment.path}", remedy
    )


def _installed(environment: Environment, name: str) -> str | None:
    found: list[Distribution] = list(distributions(name=name, path=[str(environment.site_packages)]))
    return max((each.version for each in found), default=None)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
