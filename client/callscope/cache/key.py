"""What a result depends on, as one name: whatever can change it is in here, so that nothing stale has the same name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from callscope.cache.program import program
from callscope.settings import Settings

OF_THE_WAY = frozenset(
    {
        "server",
        "headers",
        "tls_ca",
        "tls_cert",
        "tls_key",
        "repository",
        "server_environment",
        "startup_timeout_s",
        "concurrency",
        "timeout_s",
        "require",
        "store",
        "cache",
        "cache_max_bytes",
        "cache_days",
        "log_level",
    }
)
"""Settings of how a result is reached and where it goes. Every other one is taken to change it, as one is that is added
tomorrow. `require` only refuses results that are never kept: those of which a step fell back."""


def key_of(recording_sha256: str, served: str, settings: Settings) -> str:
    """The name under which a result is kept.

    Args:
        recording_sha256: of the recording's bytes.
        served: the identity of every served model; see `Served.identity`.
        settings: those that can change the result count.

    Returns:
        64 hexadecimal digits.
    """
    told = {
        "recording": recording_sha256,
        "served": served,
        "settings": settings.model_dump(mode="json", exclude=set(OF_THE_WAY)),
        "files": list(_files(settings)),
        "program": program(),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _files(settings: Settings) -> Iterator[str]:
    """What a folder of pyannote's holds, which may change under the same name."""
    folder = Path(settings.diarization_model or "")
    if settings.diarization_model and folder.is_dir():
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            told = file.stat()
            yield f"{file.relative_to(folder)} {told.st_size} {told.st_mtime_ns}"
