"""pyannote.audio's pipeline, loaded from a folder or the hub, or a sentence why it is not."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from callscope_preprocessing.diarization_errors import EngineMissing, ModelRefused, ModelUnreachable, ModelWrong

INSTALL = "Install it: pip install 'callscope[diarize]'."
CONFIG = "config.yaml"


def load_pipeline(model: str, token: str | None = None) -> Any:  # noqa: ANN401  # pyannote ships no types
    """The pipeline of a hub id or of a folder, with telemetry off.

    Args:
        model: a hub id, or a folder with config.yaml in it.
        token: the hub's, for a gated model.

    Raises:
        EngineMissing: pyannote.audio is not installed, or does not load.
        ModelRefused: the hub wants a token.
        ModelUnreachable: the hub does not answer.
        ModelWrong: there is no pipeline in the folder or under the id.
    """
    _check_folder(model)
    pipeline_class = _pipeline_class()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # it prints advice where results belong
            pipeline = pipeline_class.from_pretrained(model, token=token)
    except Exception as error:
        raise _explained(model, error) from error
    if not hasattr(pipeline, "embedding_batch_size"):
        raise _wrong(model, "it is another kind of pipeline")
    return pipeline


def _check_folder(model: str) -> None:
    path = Path(model).expanduser()
    if model.count("/") == 1 and not model.startswith((".", "~", "/")) and not path.exists():
        return
    if not path.is_dir():
        raise ModelWrong(f"{model} is neither a folder nor a hub id. Name a folder with a {CONFIG}, or OWNER/NAME.")
    if not (path / CONFIG).is_file():
        raise ModelWrong(
            f"{model} has no {CONFIG}, so it is no pipeline of pyannote.audio. Name the folder that has it."
        )


def _pipeline_class() -> Any:  # noqa: ANN401
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # read on import
    try:
        from pyannote.audio import Pipeline  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise EngineMissing(f"pyannote.audio is not installed ({error}). {INSTALL}") from error
    except OSError as error:
        raise EngineMissing(
            f"pyannote.audio does not load ({str(error).splitlines()[0]}). Install torch and torchaudio of one build, "
            "both for CPU or both for CUDA."
        ) from error
    return Pipeline


def _explained(model: str, error: Exception) -> Exception:
    """An error of the hub or of loading in this project's terms."""
    kinds = {each.__name__ for each in type(error).__mro__}
    if kinds & {"GatedRepoError", "RepositoryNotFoundError"}:
        return ModelRefused(
            f"The hub does not give {model} to this account. Accept its conditions on its page there, and pass a token "
            "with read access."
        )
    if kinds & {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectionError", "ConnectError", "Timeout"}:
        return ModelUnreachable(
            f"{model} is not on this machine and the hub cannot be reached. Fetch it where there is a network, and "
            "name its folder."
        )
    return _wrong(model, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason'}")


def _wrong(model: str, reason: str) -> ModelWrong:
    return ModelWrong(f"{model} is no diarization pipeline of pyannote.audio 4 ({reason}). Name one that is.")
