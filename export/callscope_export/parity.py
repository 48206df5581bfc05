"""The parity gate: what an exported Whisper says is what its checkpoint says.

The same sound goes through transformers and through the graphs, stage by stage and each stage on transformers' own
input, so that the first tensor beyond its limit is the one to look at. The extra `referee` installs transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ParityFailed
from .graph_runs import decoder_options
from .precisions import precision_named
from .reference import Reference
from .whisper import WhisperSettings

Array = NDArray[Any]
Run = Callable[[str, Mapping[str, Array]], Mapping[str, Array]]
"""Runs a graph by its model's name: inputs to outputs."""

SPEECH = Path(__file__).parent / "samples" / "speech.npz"
"""24 s of the demo calls over a telephone: 8 s each of English, Japanese and Korean."""
LANGUAGES = 3
NOISE = 650.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How far the graphs are from their checkpoint, or may be.

    Attributes:
        mel: largest difference of the spectrogram.
        states: of the encoder's states, relative: root mean square of the difference over that of the states.
        logprobs: mean difference of the log-probabilities of the tokens that were written.
        teacher_forced: share of tokens that the checkpoint would have written at the same place.
        free_running: share of tokens that are the same, in order, when each writes on from its own; not under noise,
            where INT8 writes other tokens on another processor.
    """

    mel: float
    states: float
    logprobs: float
    teacher_forced: float
    free_running: float


LIMITS: Mapping[str, Figures] = {
    "fp32": Figures(mel=1e-4, states=1e-4, logprobs=1e-3, teacher_forced=0.998, free_running=0.99),
    "fp16": Figures(mel=1e-4, states=1e-2, logprobs=2e-2, teacher_forced=0.98, free_running=0.9),
    "int8": Figures(mel=1e-4, states=3e-2, logprobs=1e-1, teacher_forced=0.95, free_running=0.9),
    "w8a16": Figures(mel=1e-4, states=1e-2, logprobs=5e-2, teacher_forced=0.97, free_running=0.85),
}
"""By precision. Free running, one other token early on changes all that follow: hence the wide limits there."""


@dataclass(frozen=True, slots=True)
class Parity:
    """What was compared.

    Attributes:
        reference: what the graphs were compared with.
        precision: that of the graphs.
        windows: how many windows of sound.
        tokens: how many tokens were written.
        found: the figures, by the names of `Figures`.
        limits: the limits for the precision; the last two figures must not be less, the others not more.
        failures: the figures beyond their limits, in words.
    """

    reference: str
    precision: str
    windows: int
    tokens: int
    found: Figures
    limits: Figures
    failures: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """For report.json."""
        return asdict(self)


def can_compare() -> bool:
    """Whether all that a comparison takes is installed."""
    return all(find_spec(name) for name in ("onnxruntime", "torch", "transformers"))


def check_parity(folder: Path, settings: WhisperSettings, precision: str, run: Run) -> Parity:
    """Compare the graphs with transformers on speech, noise and silence.

    Args:
        folder: The checkpoint.
        settings: What was read of it.
        precision: That of the graphs.
        run: Runs one of them.

    Raises:
        ParityFailed: A figure is beyond its limit; the message names the first.
    """
    parity = compare(folder, settings, precision, run)
    if parity.failures:
        raise ParityFailed(
            f"The graphs do not say what the checkpoint says: {parity.failures[0]}. "
            "Nothing was published; choose a finer precision, or report this with the name of the checkpoint."
        )
    return parity


def compare(folder: Path, settings: WhisperSettings, precision: str, run: Run) -> Parity:
    """Compare, and say what is beyond its limit."""
    audio = sound(settings)
    reference = Reference(folder, settings)
    mel = reference.mel(audio)
    states = reference.states(mel)
    dtype = precision_named(precision).dtype
    written = run("whisper_decoder", {"states": states.astype(dtype), **decoder_options(len(audio), settings)})
    forced = reference.forced(states, written)
    text = is_text(written["tokens"], settings.prompt.end_of_text)
    found = Figures(
        mel=float(np.abs(run("log_mel", {"audio": audio})["mel"] - mel).max()),
        states=_relative(run("whisper_encoder", {"mel": mel})["states"], states),
        logprobs=float(np.abs(written["logprobs"] - forced.logprobs)[text].mean()),
        teacher_forced=float((written["tokens"] == forced.best)[text].mean()),
        free_running=_agreement(
            np.delete(written["tokens"], LANGUAGES, axis=0),
            np.delete(reference.written(states, written["chosen_language"]), LANGUAGES, axis=0),
            settings.prompt.end_of_text,
        ),
    )
    limits = LIMITS[precision]
    return Parity(
        reference=f"transformers {version('transformers')}, float32",
        precision=precision,
        windows=len(audio),
        tokens=int(text.sum()),
        found=found,
        limits=limits,
        failures=_failures(found, limits),
    )


def sound(settings: WhisperSettings) -> NDArray[np.int16]:
    """Windows of speech, one for each language, one with noise over it, and one of silence: (LANGUAGES + 2, S).

    A window holds one language: across two, a checkpoint writes what neither it nor its graphs can be held to.
    """
    with np.load(SPEECH) as file:
        speech = _resampled(file["pcm"].astype(np.float64), int(file["rate_hz"]), settings.mel.sample_rate_hz)
    samples = settings.mel.window_samples
    windows = np.zeros((LANGUAGES + 2, samples))
    for row, part in enumerate(np.split(speech[: len(speech) // LANGUAGES * LANGUAGES], LANGUAGES)):
        windows[row, : len(part)] = part[:samples]
    windows[LANGUAGES] = windows[0] + np.random.default_rng(0).normal(0, NOISE, samples)
    return np.clip(np.rint(windows), -32768, 32767).astype(np.int16)


def _resampled(pcm: Array, rate_hz: int, wanted_hz: int) -> Array:
    """Resample a whole recording at once, by its spectrum."""
    samples = len(pcm) * wanted_hz // rate_hz
    resampled: Array = np.fft.irfft(np.fft.rfft(pcm), n=samples) * (samples / len(pcm))
    return resampled


def is_text(tokens: Array, end_of_text: int) -> NDArray[np.bool_]:
    """Mark the tokens up to each row's first end of text, that one included."""
    ended = np.cumsum(tokens == end_of_text, axis=1)
    text: NDArray[np.bool_] = (ended == 0) | ((ended == 1) & (tokens == end_of_text))
    return text


def _agreement(found: Array, expected: Array, end_of_text: int) -> float:
    """The share of tokens that two transcripts of every row have in common, in order; ends of text count."""
    common, longest = 0, 0
    for one, other in zip(found, expected, strict=True):
        first, second = (list(row[: int((row != end_of_text).sum()) + 1]) for row in (one, other))
        matching = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
        common += sum(block.size for block in matching)
        longest += max(len(first), len(second))
    return common / longest


def _relative(found: Array, expected: Array) -> float:
    difference = found.astype(np.float64) - expected
    return float(np.sqrt((difference**2).mean() / (expected.astype(np.float64) ** 2).mean()))


def _failures(found: Figures, limits: Figures) -> tuple[str, ...]:
    """Name what is beyond its limit, in the order in which the sound goes through the graphs; NaN is beyond any."""
    most = {"mel": "mel of log_mel", "states": "states of whisper_encoder", "logprobs": "logprobs of whisper_decoder"}
    least = {"teacher_forced": "tokens of whisper_decoder, teacher-forced,", "free_running": "tokens, free running,"}
    beyond = [
        f"{name} differ by {getattr(found, key):.2g}, and {getattr(limits, key):.2g} is the most"
        for key, name in most.items()
        if not getattr(found, key) <= getattr(limits, key)
    ]
    return tuple(beyond) + tuple(
        f"{name} agree in {getattr(found, key):.1%}, and {getattr(limits, key):.1%} is the least"
        for key, name in least.items()
        if not getattr(found, key) >= getattr(limits, key)
    )
