"""Where logs go and what a line holds: text for people on a terminal, JSON for programs everywhere else.

A JSON line has `timestamp` (UTC), `level`, `logger`, `event`, then what is known: `call` and `trace` while a call is
worked on, `error` with the name of an error's class, and the event's own fields. No line holds what was said in a call.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.logging import RichHandler
from structlog.contextvars import merge_contextvars
from structlog.processors import format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.types import EventDict, Processor

from callscope.errors import ResultUnwritable
from callscope.settings import LogFormat, Settings
from callscope.telemetry.daily_file import DailyFile
from callscope.telemetry.secrets import Mask
from callscope.telemetry.spans import current_trace
from callscope.telemetry.stderr import STDERR, TOLD, speak_json

PACKAGES = ("callscope", "callscope_preprocessing", "callscope_server", "callscope_export")
FIRST = ("timestamp", "level", "logger", "event")
NOT_TOLD = (TOLD, "message", "asctime")
"""Our own mark, and what other handlers leave in a record."""

_handlers: list[logging.Handler] = []


def configure_logging(settings: Settings) -> None:
    """Send logs where the settings say; what other libraries log is shown from warnings on.

    The file gets everything from level info on, or debug if that is the level, with the sentences that the user is
    shown. A process that a worker starts calls this too.

    Raises:
        ResultUnwritable: the log file cannot be written.
    """
    end_logging()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    mask = Mask(settings.header_fields())
    _handlers.append(_stderr(settings.log_format, level, mask))
    if settings.log_file is not None:
        _handlers.append(_file(settings, mask))
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    for handler in _handlers:
        root.addHandler(handler)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(min(level, logging.INFO))  # the filter on stderr has its own level
    logging.getLogger("stamina").setLevel("ERROR" if settings.log_level == "warning" else level)


def end_logging() -> None:
    """Take away what `configure_logging` set up."""
    speak_json(alone=False)
    while _handlers:
        handler = _handlers.pop()
        logging.getLogger().removeHandler(handler)
        handler.close()


def _stderr(form: LogFormat, level: int, mask: Mask) -> logging.Handler:
    handler: logging.Handler
    if form == "json" or (form == "auto" and not STDERR.is_terminal):
        handler = logging.StreamHandler(STDERR.file)
        handler.setFormatter(_formatter(mask, _as_json))
    else:
        handler = RichHandler(console=STDERR, show_path=False, markup=False)
        handler.setFormatter(_formatter(mask, _as_text))
    speak_json(alone=form == "json")
    handler.addFilter(_Shown(level, told=form == "json"))
    return handler


def _file(settings: Settings, mask: Mask) -> logging.Handler:
    assert settings.log_file is not None  # noqa: S101  the caller has looked
    try:
        handler = DailyFile(settings.log_file, settings.log_days)
    except OSError as error:
        raise ResultUnwritable(
            f"The log {settings.log_file} cannot be written ({error.strerror}). Choose another place with --log-file."
        ) from error
    handler.setFormatter(_formatter(mask, _as_json))
    return handler


class _Shown(logging.Filter):
    """What of the log belongs on stderr: our own from the level on, and nothing that the user is told anyway."""

    def __init__(self, level: int, *, told: bool) -> None:
        super().__init__()
        self._level, self._told = level, told

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, TOLD, False):
            return self._told
        ours = record.name.partition(".")[0] in PACKAGES
        return record.levelno >= (self._level if ours else min(self._level, logging.WARNING))


def _formatter(mask: Mask, render: Processor) -> logging.Formatter:
    def hide(_: Any, __: str, event: EventDict) -> EventDict:  # noqa: ANN401  structlog's signature
        return {name: mask.value(value) for name, value in event.items()}

    known: Sequence[Processor] = (add_log_level, add_logger_name, merge_contextvars, _trace, _stamp, ExtraAdder())
    told = (ProcessorFormatter.remove_processors_meta, format_exc_info, _without_marks, hide, render)
    return ProcessorFormatter(foreign_pre_chain=known, processors=told, use_get_message=True)


def _stamp(_: Any, __: str, event: EventDict) -> EventDict:  # noqa: ANN401  structlog's signature, as below
    moment = datetime.fromtimestamp(event["_record"].created, UTC)
    event["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _trace(_: Any, __: str, event: EventDict) -> EventDict:  # noqa: ANN401
    if trace := current_trace():
        event["trace"] = trace
    return event


def _without_marks(_: Any, __: str, event: EventDict) -> EventDict:  # noqa: ANN401
    for name in NOT_TOLD:
        event.pop(name, None)
    return event


def _as_json(_: Any, __: str, event: EventDict) -> str:  # noqa: ANN401
    ordered = {name: event.pop(name) for name in FIRST if name in event}
    return orjson.dumps(ordered | dict(event), default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_text(_: Any, __: str, event: EventDict) -> str:  # noqa: ANN401
    """The name of who speaks, what it says, and its fields; RichHandler puts time and level before it."""
    logger, text = event.pop("logger", ""), event.pop("event", "")
    trouble = event.pop("exception", "")
    fields = "".join(f"  {name}={value}" for name, value in event.items() if name not in FIRST)
    return f"{logger}: {text}{fields}" + (f"\n{trouble}" if trouble else "")
