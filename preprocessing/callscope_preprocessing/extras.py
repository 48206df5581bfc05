"""Files that optional packages carry, found without importing the packages and what they import in turn."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar


class PackageMissing(ImportError):
    """An optional package is not installed; the message says which and how to get it.

    What to do: install the extra that the message names.
    """

    exit_code: ClassVar[int] = 6


def file_of_package(packages: tuple[str, ...], name: str, *, purpose: str, extra: str) -> Path:
    """Find a file in the first of some packages that is installed.

    Args:
        packages: names as they are imported; one is enough.
        name: the file, relative to the package's folder.
        purpose: what it is for, to begin the sentence with.
        extra: the extra of Callscope that brings it.

    Raises:
        PackageMissing: no such file is installed.
    """
    for package in packages:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            path = Path(folder) / name
            if path.is_file():
                return path
    raise missing(packages[-1], purpose=purpose, extra=extra)


def missing(package: str, *, purpose: str, extra: str) -> PackageMissing:
    """Say what is missing and how to get it."""
    return PackageMissing(
        f"{purpose} needs the package {package.replace('_', '-')}, which is not installed. "
        f"Install it: pip install 'callscope[{extra}]'"
    )
