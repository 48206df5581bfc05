"""Why a tritonserver ended, read from its log."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

from callscope_server.errors import PortInUse, RepositoryInvalid, ServerDied, ServerError
from callscope_server.supervisor import LOST

_MESSAGE = re.compile(r'^[EIW]\d{4} [\d:.]+ \d+ \S+\] (".*")$')
_LOAD = re.compile(r"failed to load (model )?'(?P<model>[^']+)'( version \d+)?: (?P<reason>.*)", re.DOTALL)
_POLL = re.compile(r"Poll failed for model directory '(?P<model>[^']+)': (?P<reason>.*)", re.DOTALL)
_ENSEMBLE = re.compile(r"(Invalid argument: )?(?P<reason>(in )?ensemble (?P<model>[^\s,]+),? .*)", re.DOTALL)
_MANAGER = re.compile(r'^E\d{4} [\d:.]+ \d+ model_repository_manager\S+\] (".*")$', re.MULTILINE)
_NOT_ALL = "failed to load all models"
_SYNTAX = re.compile(r"Error parsing text-format inference\.ModelConfig: (?P<where>.*?)\.?$")
_SOCKET = re.compile(r"Socket '(?P<host>[^']+):(?P<port>\d+)' already in use")
_STATUS_NAME = re.compile(r"^(Internal|Invalid argument|Not found|Unavailable|Unsupported)( error)?[:-] ")
_EXCEPTION_NAME = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Invalid|Fail)\w*: ")
_REMEDY = "Mend what is named here, or remove it from the model repository."
TAIL_LINES = 3


def explain(log: str, exit_code: int | None, log_file: Path | None) -> ServerError:
    """The error that says why the server that wrote this log did not start, or ended.

    Args:
        log: all that Triton wrote.
        exit_code: how the process ended; None if that is not known.
        log_file: where the user can read the log, if anywhere.
    """
    if taken := _SOCKET.search(log):
        return PortInUse(taken["host"], int(taken["port"]))
    if failed := _root_causes(_failed_models(log)):
        reasons = " ".join(f"Model '{model}' does not load: {_sentence(reason)}" for model, reason in failed)
        return RepositoryInvalid(f"{reasons} {_REMEDY}")
    if _NOT_ALL in log and (complaints := _MANAGER.findall(log)):
        reasons = " ".join(_sentence(_plain(_unquote(complaint))) for complaint in complaints)
        return RepositoryInvalid(f"The models do not load: {reasons} {_REMEDY}")
    if lost := re.search(rf"^{LOST} (\d+)$", log, re.MULTILINE):
        return ServerDied(
            f"A process that runs a model was ended by {signal.Signals(int(lost[1])).name}, and the server with it. "
            "Start it again; if this machine ran out of memory, give it more, or the models fewer instances."
        )
    tail = " / ".join([line for line in log.splitlines() if line.strip()][-TAIL_LINES:]) or "none"
    where = f"Read the whole log in {log_file}" if log_file else "Start it with a log file to see more"
    return ServerDied(f"tritonserver ended with status {exit_code}; its last words: {tail} {where}.")


def _root_causes(failed: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    distinct = list(dict.fromkeys(failed))
    return [each for each in distinct if "depends on" not in each[1]] or distinct


def _failed_models(log: str) -> Iterator[tuple[str, str]]:
    syntax = ""
    for line in log.splitlines():
        if parsing := _SYNTAX.search(line):
            syntax = f" (line {parsing['where']})"
        if quoted := _MESSAGE.match(line):
            message = _unquote(quoted[1])
            for found in filter(None, (pattern.match(message) for pattern in (_LOAD, _POLL, _ENSEMBLE))):
                yield found["model"], _plain(found["reason"]) + (syntax if "text proto" in message else "")


def _unquote(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted.strip('"')


def _plain(reason: str) -> str:
    without_traceback = reason.partition("\n\nAt:\n")[0]
    return " ".join(_EXCEPTION_NAME.sub("", _STATUS_NAME.sub("", without_traceback)).split())


def _sentence(reason: str) -> str:
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."
