"""`callscope analyze` and `callscope transcribe`."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from callscope.cache.analysis import analyze as analyze_call
from callscope.cache.analysis import open_cache
from callscope.cache.place import open_results
from callscope.call import Call
from callscope.commands.guard import report
from callscope.commands.options import CACHE, CALL, LOG, SERVER, WATCH, NoCache, with_settings, without_cache
from callscope.commands.output import Format, plan_files, print_call, write_file
from callscope.commands.progress import show_progress, tell_fallbacks
from callscope.commands.transcripts import Reading, run_transcripts
from callscope.embedded import server_url
from callscope.errors import (
    ContractMismatch,
    LanguageUnknown,
    ModelMissing,
    ServersDiffer,
    ServerUnreachable,
    SettingsInvalid,
)
from callscope.preparation import read_call
from callscope.report.html.audio import Way, player_source
from callscope.settings import Loaded, Settings
from callscope.telemetry import say
from callscope.telemetry.metrics import CALLS
from callscope.triton.resilient import open_transport
from callscope_preprocessing.errors import AudioError
from callscope_preprocessing.sound import Sound
from callscope_preprocessing.source import STANDARD_INPUT

TRUE_OF_EVERY_CALL = (ServerUnreachable, ServersDiffer, ModelMissing, ContractMismatch, LanguageUnknown)

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        readable=False,
        help="Recorded calls: anything soundfile or FFmpeg reads; - is standard input. With --transcript: transcripts.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PLACE",
        help="A file; or a folder (existing, ending in /, or for several calls), which gets NAME.json (or .txt "
        "and so on) for each call. Existing files are replaced. Without it results go to stdout.",
    ),
]
Form = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        help="json, jsonl: everything. table: the conversation and its measures. txt: time, speaker, words. srt, vtt: "
        "captions. csv: a row a segment. rttm: who spoke when. html: a page for a browser. Several calls on stdout: "
        "JSON has a call a line. [table on a terminal, else json]",
    ),
]
Written = Annotated[
    bool,
    typer.Option(
        "--transcript",
        help="Each FILE is a transcript, or a folder of them: .srt, .vtt, .json, .jsonl, .csv, .tsv, or .rttm with the "
        ".txt beside it.",
    ),
]
Agent = Annotated[
    str | None,
    typer.Option(metavar="LABEL", help="What transcripts call the agent. [told by their labels, else by the words]"),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Analyse transcripts without a server: no sentiment, no marks put in.")
]
Encoding = Annotated[
    str, typer.Option(metavar="NAME", help="How transcripts are written that are not UTF-8: cp949, cp932, …")
]
Audio = Annotated[
    Way | None,
    typer.Option("--with-audio", help="html: a player that the transcript follows; the recording linked, or embedded."),
]
TextForm = Annotated[Format, typer.Option("--format", "-f", help="As for analyze.")]


@with_settings(*SERVER, *CALL, *CACHE, *LOG, *WATCH)
def analyze(
    loaded: Loaded,
    files: Files,
    *,
    output: Output = None,
    form: Form = None,
    transcript: Written = False,
    agent: Agent = None,
    offline: Offline = False,
    encoding: Encoding = "",
    with_audio: Audio = None,
    no_cache: NoCache = False,
) -> None:
    """Analyse recorded calls, or transcripts: words and measures.

    Who said what, when and how, and the measures of the conversation.

    Without --server, Callscope starts a Triton of its own for the time it needs. A file that fails is reported and the
    others still run; the exit code is that of the first failure.
    """
    on_terminal = output is None and sys.stdout.isatty()
    form = form or (Format.TABLE if on_terminal else Format.JSON)
    _require_player(form, with_audio, is_sound=not transcript, redact=loaded.settings.redact)
    if transcript:
        run_transcripts(files, loaded.settings, Reading(agent, offline, encoding), output=output, form=form)
        return
    if agent is not None or offline or encoding:
        raise SettingsInvalid(
            "--agent, --offline and --encoding are for transcripts. Add --transcript, or leave them out; "
            "for a recording --agent-channel says where the agent is."
        )
    _run(without_cache(loaded.settings, no_cache), files, output, form, with_audio)


def _require_player(form: Format, with_audio: Way | None, *, is_sound: bool, redact: bool) -> None:
    """A player needs a page, and a recording that may be heard."""
    if with_audio is None:
        return
    if form is not Format.HTML or not is_sound:
        raise SettingsInvalid("--with-audio is for pages of recordings. Add --format html, or leave it out.")
    if redact:
        raise SettingsInvalid("--redact masks texts, and the recording still says it all. Leave out --with-audio.")


@with_settings(*SERVER, *CALL, *CACHE, *LOG, *WATCH)
def transcribe(
    loaded: Loaded, files: Files, output: Output = None, form: TextForm = Format.TXT, *, no_cache: NoCache = False
) -> None:
    """Transcribe recorded calls: time, speaker and words. The same as `analyze --format txt`."""
    _run(without_cache(loaded.settings, no_cache), files, output, form)


def _run(
    settings: Settings, files: Sequence[Path], output: str | None, form: Format, with_audio: Way | None = None
) -> None:
    sources = sorted(dict.fromkeys(files), key=lambda source: source != STANDARD_INPUT)
    plan = plan_files(sources, output, form) if output else {}

    def deliver(source: Path, call: Call) -> None:
        page = plan.get(source, Path("call.html"))
        audio = player_source(source, page, with_audio) if with_audio else None
        if output:
            write_file(call, form, page, audio=audio)
            say(f"{source}: {plan[source]}")
        else:
            print_call(call, form, of_many=len(sources) > 1, audio=audio)

    codes: list[int] = []
    waiting = deque(sources)
    if first := _first_sound(waiting, settings, codes):
        with server_url(settings) as url:
            asyncio.run(_analyze_all(waiting, first, url=url, settings=settings, deliver=deliver, codes=codes))
    if codes:
        raise typer.Exit(codes[0])


def _first_sound(waiting: deque[Path], settings: Settings, codes: list[int]) -> list[Sound]:
    """Drop files until one decodes, and give its sound: no server is started for files that are no sound."""
    while waiting:
        try:
            with show_progress(waiting[0].name) as progress:
                progress("decode", 0, 0)
                return [read_call(waiting[0], settings)]
        except AudioError as error:
            codes.append(report(error))
            CALLS.labels("failed").inc()  # the pipeline never sees it
            waiting.popleft()
    return []


async def _analyze_all(
    sources: Iterable[Path],
    read: list[Sound],
    *,
    url: str,
    settings: Settings,
    deliver: Callable[[Path, Call], None],
    codes: list[int],
) -> None:
    """Analyse one call after the other; each has as many requests at the server as the settings allow.

    The sound of the first is taken out of `read`, so that it is let go of when that call is done.
    """
    transport = open_transport(url, settings)
    try:
        async with open_cache(open_results(settings, by_default=False), url, settings) as cache:
            for source in sources:
                try:
                    with show_progress(source.name) as progress:
                        sound = read.pop() if read else None
                        call = await analyze_call(
                            source, transport, settings, cache=cache, progress=progress, sound=sound
                        )
                    tell_fallbacks(call)
                    deliver(source, call)
                except BrokenPipeError:
                    raise
                except TRUE_OF_EVERY_CALL as error:
                    codes.append(report(error))
                    return
                except AudioError as error:  # it names the file itself
                    codes.append(report(error))
                except Exception as error:  # a call that fails must not take the others with it
                    codes.append(report(error, about=str(source)))
    finally:
        await transport.close()
