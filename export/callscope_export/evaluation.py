"""How much exported graphs err on recordings whose texts are known, and how much their checkpoint does."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import EvaluationFailed, PartMissing
from .progress import Progress
from .recordings import Recording, read_windows
from .whisper import WhisperSettings

Transcriber = Callable[[NDArray[np.int16], int], NDArray[Any]]
"""Writes what is said in windows, INT16 (rows, S), in the language of a token: tokens, (rows, N)."""
Decode = Callable[[Sequence[int]], str]
"""Gives the text of tokens."""

MOST_RISE = 0.005
"""How much more the graphs may err than the checkpoint, in any language: half a point."""
UNSPACED = ("ja", "ko", "zh", "yue", "th", "lo", "my", "km")
"""Languages whose words are not, or not always, told apart by spaces: characters are counted there."""
PACKAGES = ("jiwer", "onnxruntime", "soundfile", "soxr")


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Errors in one language, as shares of the words or characters that were said.

    Attributes:
        language: Its code.
        metric: "wer" for words, "cer" for characters.
        recordings: How many there are.
        exported: The error rate of the graphs.
        reference: That of what they are compared with.
    """

    language: str
    metric: str
    recordings: int
    exported: float
    reference: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How much the graphs err.

    Attributes:
        reference: What they are compared with.
        limit: How much more they may err.
        rates: By language.
    """

    reference: str
    limit: float
    rates: tuple[ErrorRate, ...]

    def as_dict(self) -> dict[str, Any]:
        """For report.json."""
        return asdict(self)


def require_packages() -> None:
    """Check that all that an evaluation takes is installed.

    Raises:
        PartMissing: Something is not.
    """
    if missing := [name for name in PACKAGES if not find_spec(name)]:
        raise PartMissing(
            f"The graphs cannot be evaluated: {missing[0]} is missing. Install it with: pip install 'callscope[eval]'"
        )


def write_texts(
    recordings: Sequence[Recording],
    settings: WhisperSettings,
    transcribe: Transcriber,
    decode: Decode,
    progress: Progress,
) -> list[str]:
    """Transcribe recordings, each told its language; windows are cut where they end, whatever is said there."""
    texts = []
    for number, recording in enumerate(recordings, start=1):
        progress(f"{number} of {len(recordings)}")
        language = settings.prompt.languages.get(recording.language, -1)
        windows = read_windows(recording, settings.mel)
        tokens = [_text_tokens(transcribe(window[None], language)[0], settings) for window in windows]
        texts.append(" ".join(decode(row) for row in tokens))
    return texts


def error_rates(recordings: Sequence[Recording], exported: Sequence[str], reference: Sequence[str]) -> list[ErrorRate]:
    """Compare transcripts with what was said, language by language."""
    languages = sorted({recording.language for recording in recordings})
    return [_error_rate(language, list(zip(recordings, exported, reference, strict=True))) for language in languages]


def refuse_rise(evaluation: Evaluation) -> None:
    """Hold an evaluation to its limit.

    Raises:
        EvaluationFailed: The graphs err more in a language than the limit allows.
    """
    for rate in evaluation.rates:
        if rate.exported - rate.reference > evaluation.limit:
            raise EvaluationFailed(
                f"In {rate.language} the graphs have a {rate.metric.upper()} of {rate.exported:.1%}, "
                f"{evaluation.reference} {rate.reference:.1%}, and at most {evaluation.limit:.1%} more is allowed. "
                "Nothing was published; choose a finer precision."
            )


def comparable(text: str, language: str) -> str:
    """Reduce a text to what counts: no case, no marks, single spaces; no spaces where characters are counted."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(" " if unicodedata.category(letter)[0] in "PSZC" else letter for letter in folded)
    return ("" if language in UNSPACED else " ").join(kept.split())


def _error_rate(language: str, every: Sequence[tuple[Recording, str, str]]) -> ErrorRate:
    import jiwer  # noqa: PLC0415  the extra `eval`

    recordings, exported, reference = zip(*(one for one in every if one[0].language == language), strict=True)
    said = [comparable(recording.text, language) for recording in recordings]
    metric = "cer" if language in UNSPACED else "wer"

    def rate(texts: Sequence[str]) -> float:
        return float(getattr(jiwer, metric)(said, [comparable(text, language) for text in texts]))

    return ErrorRate(language, metric, len(recordings), rate(exported), rate(reference))


def _text_tokens(tokens: NDArray[Any], settings: WhisperSettings) -> list[int]:
    ends = np.flatnonzero(tokens == settings.prompt.end_of_text)
    return [int(token) for token in tokens[: ends[0] if len(ends) else None]]
