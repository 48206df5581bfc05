"""Recordings with their texts, for an evaluation: a folder for each language, and in it NAME.wav beside NAME.txt."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import EvaluationImpossible
from .prompt_tokens import Prompt
from .whisper import MelSettings

SOUNDS = (".wav", ".flac")
ENGLISH_ONLY = ("en",)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording and what is said in it.

    Attributes:
        path: The file.
        language: Its code.
        text: What is said.
    """

    path: Path
    language: str
    text: str


def read_recordings(folder: Path, prompt: Prompt) -> tuple[Recording, ...]:
    """Find the recordings of a folder: LANGUAGE/NAME.wav or LANGUAGE/NAME.flac, the text in NAME.txt beside it.

    Args:
        folder: The folder; what is no sound and no text in it does not matter.
        prompt: The languages: its sub-folders are named after those that the checkpoint knows, and those that are not
            served are left out.

    Raises:
        EvaluationImpossible: No recording, one that is not in a folder of its language, or one without its text.
    """
    if not folder.is_dir():
        raise EvaluationImpossible(f"There is no folder {folder}. Name one that holds recordings and their texts.")
    recordings = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS):
        language = path.parent.name
        if path.parent.parent != folder or language not in (prompt.known_languages or ENGLISH_ONLY):
            raise EvaluationImpossible(
                f"{path} is in no folder of a language that the checkpoint knows. "
                f"Put it into {folder / 'en'}, or after its language's code."
            )
        if language in (prompt.languages or ENGLISH_ONLY):
            recordings.append(Recording(path, language, _text(path)))
    if not recordings:
        raise EvaluationImpossible(
            f"{folder} holds no recording to evaluate. Put some into folders named after their languages: "
            f"{folder / 'en' / 'NAME.wav'}, with its text in NAME.txt."
        )
    return tuple(recordings)


def read_windows(recording: Recording, mel: MelSettings) -> NDArray[np.int16]:
    """Read a recording, its channels mixed, and cut it into windows: INT16 (windows, S), the last filled with zeros.

    Raises:
        EvaluationImpossible: It cannot be read, or is empty.
    """
    import soundfile  # type: ignore[import-untyped]  # noqa: PLC0415  only an evaluation reads sound
    import soxr  # type: ignore[import-untyped]  # noqa: PLC0415  as above

    try:
        sound, rate_hz = soundfile.read(recording.path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise EvaluationImpossible(
            f"{recording.path} cannot be read ({error}). Convert it to WAV or FLAC, or take it away."
        ) from error
    samples = soxr.resample(sound.mean(axis=1), rate_hz, mel.sample_rate_hz)
    if not len(samples):
        raise EvaluationImpossible(f"{recording.path} holds no sound. Record it again, or take it away.")
    count = -(-len(samples) // mel.window_samples)
    windows = np.zeros(count * mel.window_samples, np.float32)
    windows[: len(samples)] = samples
    scaled = np.clip(np.rint(windows * 32768), -32768, 32767).astype(np.int16)
    return scaled.reshape(count, mel.window_samples)


def _text(path: Path) -> str:
    try:
        text = path.with_suffix(".txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationImpossible(
            f"{path} has no text beside it. Write what is said into {path.with_suffix('.txt').name}, as UTF-8."
        ) from error
    if not any(letter.isalnum() for letter in text):
        raise EvaluationImpossible(f"The text of {path} has no words. Write what is said, or take the recording away.")
    return text
