"""Every failure of a verb as one sentence on stderr and an exit code; never a traceback, unless asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from callscope.telemetry import STDERR, say
from callscope.telemetry.failures import note_failure
from callscope.telemetry.stderr import show

BUG, INTERRUPTED = 1, 130
DEBUG_VARIABLE = "CALLSCOPE_DEBUG"


@contextmanager
def guarded() -> Iterator[None]:
    """Run a verb's work: expected errors, bugs, Ctrl-C and SIGTERM become a message and an exit code.

    SIGTERM interrupts the work as Ctrl-C does, so that whatever was started is ended on the way out.
    """
    terminated: list[int] = []

    def terminate(number: int, frame: FrameType | None) -> None:
        terminated.append(number)
        interrupt = signal.getsignal(signal.SIGINT)
        if callable(interrupt):
            interrupt(signal.SIGINT, frame)
        else:  # SIGINT is ignored, as in a shell's background job
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        say("Terminated." if terminated else "Interrupted.")
        raise typer.Exit(128 + signal.SIGTERM if terminated else INTERRUPTED) from None
    except BrokenPipeError:
        _leave_quietly()
    except Exception as error:
        raise typer.Exit(report(error)) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def report(error: Exception, *, about: str = "") -> int:
    """Say on stderr what went wrong, and return the exit code for it.

    Args:
        error: an error that carries `exit_code`, or a bug.
        about: what was being worked on, put before the message.
    """
    note_failure(error)
    prefix = f"{about}: " if about else ""
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        show(f"{prefix}{error}")
    else:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        show(f"{prefix}Callscope failed unexpectedly ({detail}). `callscope --debug …` shows where; please report it.")
    if os.environ.get(DEBUG_VARIABLE):
        STDERR.print_exception()
    return code if isinstance(code, int) else BUG


def _leave_quietly() -> None:
    """Whoever read stdout has gone; keep the interpreter from complaining about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise typer.Exit(128 + signal.SIGPIPE)
