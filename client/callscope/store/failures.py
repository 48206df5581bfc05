"""What a database can fail with: tried again where that helps, and said in a sentence where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import stamina
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from callscope.errors import StoreFull, StoreUnreachable
from callscope.store.engine import name_of

ATTEMPTS = 8
PATIENCE_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
TRANSIENT_STATES = ("08", "40001", "40P01", "53300", "55P03", "57P")
"""SQLSTATE of PostgreSQL (its manual, appendix A): connection lost, serialization failure, deadlock, too many
connections, lock not available, server shutting down."""
FULL_STATE = "53100"
FULL = ("database or disk is full", "disk I/O error", "no space left")

Result = TypeVar("Result")


def retried(engine: Engine, work: Callable[[], Result]) -> Result:
    """Do a whole transaction, again with growing pauses while the database is away, locked or at odds with another."""
    for attempt in stamina.retry_context(
        on=_may_pass,
        attempts=ATTEMPTS,
        timeout=PATIENCE_S,
        wait_initial=FIRST_PAUSE_S,
        wait_max=LONGEST_PAUSE_S,
    ):
        with attempt:
            return work()
    raise AssertionError(engine)  # the last attempt returns or raises


@contextmanager
def answered(engine: Engine) -> Iterator[None]:
    """Turn what a database fails with into a sentence.

    Raises:
        StoreUnreachable: it does not answer, or has no connection to spare.
        StoreFull: its disk is full.
    """
    name = name_of(engine.url)
    try:
        yield
    except NoConnection as error:
        raise StoreUnreachable(name, "all connections of the pool are in use") from error
    except DBAPIError as error:
        detail = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
        if any(sign in detail.lower() for sign in FULL) or _state(error) == FULL_STATE:
            raise StoreFull(name, detail) from error
        raise StoreUnreachable(name, detail) from error


def _may_pass(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return True  # another process put the same call in meanwhile; the next attempt replaces it
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or (_state(error) or "").startswith(TRANSIENT_STATES):
        return True
    if not isinstance(error, OperationalError):
        return False
    detail = str(error.orig).lower()
    if any(sign in detail for sign in FULL):
        return False
    return "locked" in detail or "connection" in detail


def _state(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None
