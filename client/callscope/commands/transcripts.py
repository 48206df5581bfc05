"""`callscope analyze --transcript`: conversations that others have written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import typer

from callscope.call import Call
from callscope.commands.guard import report
from callscope.commands.output import Format, plan_files, print_call, write_file
from callscope.commands.progress import show_progress, tell_fallbacks
from callscope.embedded import server_url
from callscope.errors import ContractMismatch, ServerUnreachable, SettingsInvalid
from callscope.settings import Settings
from callscope.telemetry import say
from callscope.transcripts.errors import TranscriptInvalid
from callscope.transcripts.files import find_transcripts, read_transcripts
from callscope.transcripts.flow import analyze_transcripts
from callscope.transcripts.many import Failure, analyze_offline
from callscope.triton.transport import Transport, connect

TRUE_OF_EVERY_CALL = (ServerUnreachable, ContractMismatch)
MANY = 16
"""Transcripts from which on several processes analyse them."""
OFFLINE_STEPS = frozenset({"punctuate", "sentiment"})


@dataclass(frozen=True, slots=True)
class Reading:
    """How transcripts are to be read.

    Attributes:
        agent: what they call the agent; None: what they say themselves.
        offline: whether to work without a server.
        encoding: how files are written that are not UTF-8; empty: all are.
    """

    agent: str | None = None
    offline: bool = False
    encoding: str = ""


def run_transcripts(
    files: Sequence[Path], settings: Settings, reading: Reading, *, output: str | None, form: Format
) -> None:
    """Analyse transcripts, one after the other; one that fails is reported, and the others still run.

    Raises:
        typer.Exit: with the code of the first failure.
        SettingsInvalid: the encoding is none.
        TritonError, ServerError: there is no server.
    """
    _require_encoding(reading.encoding)
    sources, codes = _found(files)
    plan = plan_files(sources, output, form) if output and sources else {}
    deliver = _writer(plan, form) if output else _printer(form, of_many=len(sources) > 1)
    if reading.offline:
        _analyze_offline(sources, settings, reading, deliver=deliver, codes=codes)
    elif sources := _from_first_readable(sources, reading.encoding, codes):
        with server_url(settings) as url:
            asyncio.run(_analyze_at(url, sources, settings, reading, deliver=deliver, codes=codes))
    if codes:
        raise typer.Exit(codes[0])


Deliver = Callable[[Path, Sequence[Call]], None]


def _found(files: Sequence[Path]) -> tuple[list[Path], list[int]]:
    """The transcripts, those in folders too, and the exit codes of what holds none."""
    found: list[Path] = []
    codes: list[int] = []
    for file in files:
        with _told(file, codes):
            found += find_transcripts([file])
    return list(find_transcripts(found)), codes


def _from_first_readable(sources: Sequence[Path], encoding: str, codes: list[int]) -> list[Path]:
    """Drop files until one can be read: no server is started for files that are no transcripts."""
    for place, source in enumerate(sources):
        with _told(source, codes):
            read_transcripts(source, encoding)
            return list(sources[place:])
    return []


def _analyze_offline(
    sources: Sequence[Path], settings: Settings, reading: Reading, *, deliver: Deliver, codes: list[int]
) -> None:
    cores = None if len(sources) >= MANY else 1
    made = 0
    for source, outcome in analyze_offline(
        sources, settings, agent=reading.agent, encoding=reading.encoding, cores=cores
    ):
        with _told(source, codes):
            if isinstance(outcome, Failure):
                raise _Failed(outcome)
            _tell(outcome, offline=True)
            deliver(source, outcome)
            made += len(outcome)
    if made:
        say("Without a server, sentiment is by the lexicon alone, and texts without marks were left as they are.")


class _Failed(Exception):
    """A failure in another process."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.exit_code = failure.exit_code
        self.names_file = failure.names_file


async def _analyze_at(
    url: str,
    sources: Sequence[Path],
    settings: Settings,
    reading: Reading,
    *,
    deliver: Deliver,
    codes: list[int],
) -> None:
    transport = connect(url, timeout_s=settings.timeout_s)
    try:
        await _analyze_all(sources, transport, settings, reading, deliver=deliver, codes=codes)
    finally:
        await transport.close()


async def _analyze_all(
    sources: Sequence[Path],
    transport: Transport,
    settings: Settings,
    reading: Reading,
    *,
    deliver: Deliver,
    codes: list[int],
) -> None:
    for source in sources:
        try:
            with _told(source, codes), show_progress(source.name) as progress:
                calls = await analyze_transcripts(
                    source, transport, settings, agent=reading.agent, encoding=reading.encoding, progress=progress
                )
                _tell(calls, offline=False)
                deliver(source, calls)
        except TRUE_OF_EVERY_CALL as error:
            codes.append(report(error))
            return


@contextmanager
def _told(source: Path, codes: list[int]) -> Iterator[None]:
    """A file that fails is reported, and must not take the others with it."""
    try:
        yield
    except (BrokenPipeError, *TRUE_OF_EVERY_CALL):
        raise
    except Exception as error:
        names_file = isinstance(error, TranscriptInvalid) or getattr(error, "names_file", False)
        codes.append(report(error, about="" if names_file else str(source)))


def _tell(calls: Sequence[Call], *, offline: bool) -> None:
    """What each call lacks; what all lack without a server is said once, at the end."""
    for call in calls:
        if not (offline and set(call.processing.degraded) <= OFFLINE_STEPS):
            tell_fallbacks(call)


def _printer(form: Format, *, of_many: bool) -> Deliver:
    def deliver(source: Path, calls: Sequence[Call]) -> None:
        for call in calls:
            print_call(call, form, of_many=of_many or len(calls) > 1)

    return deliver


def _writer(plan: Mapping[Path, Path], form: Format) -> Deliver:
    """Writes each call to its file; the second and further ones of a source get a number."""
    taken = set(plan.values())

    def deliver(source: Path, calls: Sequence[Call]) -> None:
        file = plan[source]
        for call in calls:
            write_file(call, form, file)
            say(f"{source}: {file}")
            numbered = (plan[source].with_stem(f"{plan[source].stem}-{number}") for number in count(2))
            file = next(other for other in numbered if other not in taken)
            taken.add(file)

    return deliver


def _require_encoding(name: str) -> None:
    try:
        "a".encode(name or "utf-8")
    except (LookupError, ValueError) as error:
        raise SettingsInvalid(
            f"There is no encoding {name!r}. Correct --encoding: cp949 is usual for Korean, cp932 for Japanese."
        ) from error
