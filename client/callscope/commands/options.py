"""Settings as flags: their names, types and help come from `Settings`, so that none is written twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from pydantic import SecretStr

from callscope.commands.guard import guarded
from callscope.settings import CACHE_OFF, Settings, load_settings
from callscope.telemetry.exposition import exposed
from callscope.telemetry.logs import configure_logging
from callscope.telemetry.tracing import traced

PANEL = "Settings (also in callscope.toml and as CALLSCOPE_… variables)"

CONNECTION = ("headers", "tls_ca", "tls_cert", "tls_key")
PLACES = ("server", *CONNECTION, "repository", "server_environment")
SERVER = (*PLACES, "startup_timeout_s")
REQUESTS = ("timeout_s", "concurrency")
SOUND = (
    "max_duration_s",
    "max_bytes",
    "max_channels",
    "raw",
    "vad",
    "vad_mode",
    "min_speech_s",
    "denoise",
    "diarize",
    "diarization_model",
    "speakers",
    "max_gap_s",
    "fill_windows",
)
WORDS = ("sentences", "sentiment_context", "redact", "non_talk_s", "require")
CALL = (*REQUESTS, "language", "agent_channel", *SOUND, "max_retry_share", *WORDS)
CACHE = ("cache", "cache_max_bytes", "cache_days")
LOG_STYLE = ("log_level", "log_format")
LOG = (*LOG_STYLE, "log_file", "log_days")
WATCH = ("metrics_port", "metrics_host", "otlp_endpoint")
"""Of verbs that ask a server: what others may see of the work while it runs."""

NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Analyse every recording, and keep no result: the same as --cache off.")
]


def without_cache(settings: Settings, unwanted: bool) -> Settings:
    """The settings with the cache off, if that is asked for."""
    return settings.model_copy(update={"cache": CACHE_OFF}) if unwanted else settings


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb a flag for each named setting; the verb takes the loaded settings as `loaded`, first.

    The verb runs guarded: its errors become a sentence and an exit code.
    """

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        @wraps(verb)
        def run(context: typer.Context, **given: Any) -> None:  # noqa: ANN401  (whatever the verb's own options are)
            flags = {name: given.pop(name) for name in names}
            with guarded():
                loaded = load_settings(flags, config=context.obj)
                configure_logging(loaded.settings)
                with _watched(loaded.settings if set(WATCH) <= set(names) else None):
                    verb(loaded, **given)

        own = list(inspect.signature(verb, eval_str=True).parameters.values())[1:]
        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        parameters = [context, *own, *(_flag(name) for name in names)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


@contextmanager
def _watched(settings: Settings | None) -> Iterator[None]:
    """Let others see what happens during the block; with None they are not let."""
    if settings is None:
        yield
        return
    with exposed(settings.metrics_host, settings.metrics_port), traced(settings.otlp_endpoint):
        yield


def _flag(name: str) -> inspect.Parameter:
    field = Settings.model_fields[name]
    hint = get_type_hints(Settings)[name]
    kind = str if get_origin(hint) is Literal or SecretStr in get_args(hint) else hint
    flag = f"--{name.replace('_', '-')}"
    either = bool in (hint, *get_args(hint))
    option = typer.Option(
        f"{flag} / --no-{flag[2:]}" if either else flag,
        help=f"{field.description}{_default(field.default)}",
        rich_help_panel=PANEL,
        readable=False,  # a path that cannot be read has an error of its own
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _default(value: object) -> str:
    return "" if value is None else f" [{value:g}]" if isinstance(value, float) else f" [{value}]"
