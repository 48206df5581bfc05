"""A model repository served another way: its configs changed, its graphs the same files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format  # type: ignore[import-untyped]  # its types are a package of their own
from tritonclient.grpc import model_config_pb2

from callscope.errors import SettingsInvalid

STAGES = ("log_mel", "whisper_encoder", "whisper_decoder", "whisper_aligner")
ENSEMBLES = ("transcribe", "transcribe_words")
THREADED = ("whisper_encoder", "whisper_decoder")
"""Those whose threads are chosen; the others' work is too short to share."""
NEEDED = frozenset({*STAGES[:3], "transcribe", "whisper_tokenizer"})
THREADS = "intra_op_thread_count"
US_PER_MS = 1000
CONFIG = "config.pbtxt"


@dataclass(frozen=True, slots=True)
class Choice:
    """How the recogniser's models are served.

    Attributes:
        instances: of each model.
        threads: of one instance of the encoder and of the decoder.
        max_batch_size: the most windows of one run.
        queue_delay_ms: how long a window may wait for company, at each stage.
    """

    instances: int
    threads: int
    max_batch_size: int
    queue_delay_ms: float

    def __str__(self) -> str:
        """As a table shows it."""
        return f"{self.instances} x {self.threads} threads, batch {self.max_batch_size}, {self.queue_delay_ms:g} ms"


def choice_of(repository: Path) -> Choice:
    """How a repository serves its decoder, which is what most of the time goes into.

    Raises:
        SettingsInvalid: it holds no recogniser that this program has exported.
    """
    config = read_config(repository, "whisper_decoder")
    return Choice(
        instances=sum(group.count for group in config.instance_group),
        threads=int(config.parameters[THREADS].string_value or 1),
        max_batch_size=config.max_batch_size,
        queue_delay_ms=config.dynamic_batching.max_queue_delay_microseconds / US_PER_MS,
    )


def write_variant(repository: Path, folder: Path, choice: Choice, *, only: bool = True) -> Path:
    """Write the configs of a repository that serves as chosen; graphs are links to the original's.

    Args:
        repository: the original, which is only read.
        folder: for the variant; made.
        choice: how it serves.
        only: leave out what the recogniser does not need.

    Returns:
        The folder.

    Raises:
        SettingsInvalid: the repository holds no recogniser that this program has exported.
    """
    for name in _models(repository, only=only):
        config = read_config(repository, name)
        _apply(config, choice)
        (folder / name).mkdir(parents=True)
        for part in (repository / name).iterdir():
            if part.name != CONFIG:
                (folder / name / part.name).symlink_to(part.resolve())
        (folder / name / CONFIG).write_text(text_format.MessageToString(config), encoding="utf-8")
    return folder


def read_config(repository: Path, model: str) -> Any:  # noqa: ANN401  protobuf's class has no types
    """Parse a model's config.pbtxt.

    Raises:
        SettingsInvalid: it is not there, or is none.
    """
    path = repository / model / CONFIG
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())
    except (OSError, text_format.ParseError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsInvalid(
            f"{path} cannot be read ({reason}). Name a repository that `callscope export` has written."
        ) from error


def _models(repository: Path, *, only: bool) -> Iterator[str]:
    found = sorted(path.parent.name for path in repository.glob(f"*/{CONFIG}"))
    yield from (name for name in found if not only or name in NEEDED)


def _apply(config: Any, choice: Choice) -> None:  # noqa: ANN401  as above
    if config.name in ENSEMBLES:
        config.max_batch_size = choice.max_batch_size
    if config.name not in STAGES:
        return
    config.max_batch_size = choice.max_batch_size
    config.dynamic_batching.max_queue_delay_microseconds = round(choice.queue_delay_ms * US_PER_MS)
    for group in config.instance_group:
        group.count = choice.instances
    if config.name in THREADED:
        config.parameters[THREADS].string_value = str(choice.threads)
