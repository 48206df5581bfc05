"""Environments of the server that look like the real one, and lack something."""

from __future__ import annotations

import shutil
from pathlib import Path

from callscope_server import Environment
from callscope_server.libraries import missing_libraries

OTHER_PYTHONS = ("3.8", "3.9", "3.10", "3.12")


def link_environment(environment: Environment, folder: Path) -> Environment:
    """Make an environment of links to the real one, to be damaged."""
    site_packages = folder / environment.site_packages.relative_to(environment.path)
    site_packages.mkdir(parents=True)
    for entry in environment.site_packages.iterdir():
        (site_packages / entry.name).symlink_to(entry)
    (folder / "bin").symlink_to(environment.path / "bin")
    shutil.copy(environment.path / "pyvenv.cfg", folder)
    return Environment(folder)


def install_other_numpy(environment: Environment, version: str) -> None:
    for entry in environment.site_packages.glob("numpy*"):
        entry.unlink()
    folder = environment.site_packages / f"numpy-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: numpy\nVersion: {version}\n")


def use_stub_of(environment: Environment, python_version: str) -> None:
    """Make the stub the one that another Python's libpython belongs to."""
    real = (environment.site_packages / "pytriton").resolve()
    (environment.site_packages / "pytriton").unlink()
    triton = environment.site_packages / "pytriton" / "tritonserver"
    triton.mkdir(parents=True)
    for entry in (real / "tritonserver").iterdir():
        (triton / entry.name).symlink_to(entry)
    (triton / "python_backend_stubs").unlink()
    environment.stub.parent.mkdir(parents=True)
    environment.stub.symlink_to(real / "tritonserver" / "python_backend_stubs" / python_version / environment.stub.name)


def python_without_library(environment: Environment) -> str:
    """A version of Python whose library this machine's loader does not find."""
    stubs = environment.triton / "python_backend_stubs"
    absent = [v for v in OTHER_PYTHONS if missing_libraries(stubs / v / environment.stub.name, [])]
    assert absent, f"the libraries of all of {OTHER_PYTHONS} are installed on this machine"
    return absent[0]
