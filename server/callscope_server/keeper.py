"""A server that starts again when it dies, for as long as somebody needs it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from callscope_server.errors import ServerError
from callscope_server.launcher import TritonServer

WATCH_S = 0.5
PAUSES_S = (0.0, 1.0, 5.0, 15.0)
"""Before each further start in a row; after the last of them it is left as it is."""
STEADY_S = 60.0
"""A server that ran for so long has the pauses before it again."""

logger = logging.getLogger(__name__)


@contextmanager
def kept(server: TritonServer) -> Iterator[TritonServer]:
    """Start the server, start it again where it was if it dies during the block, and stop it.

    Raises:
        ServerError: it does not start the first time.
    """
    ending = threading.Event()
    with server:
        keeper = threading.Thread(target=_keep, args=(server, ending), name="callscope-keeper", daemon=True)
        keeper.start()
        try:
            yield server
        finally:
            ending.set()
            keeper.join()


def _keep(server: TritonServer, ending: threading.Event) -> None:
    pauses = iter(PAUSES_S)
    ran_s = 0.0
    while not ending.wait(WATCH_S):
        try:
            server.check()
            ran_s += WATCH_S
        except ServerError as died:
            pauses, ran_s = (iter(PAUSES_S) if ran_s >= STEADY_S else pauses), 0.0
            pause_s = next(pauses, None)
            if pause_s is None:
                logger.warning("Triton is not started again. %s", died)
                return
            logger.warning("Triton is started again. %s", died)
            if not ending.wait(pause_s):
                _start(server)


def _start(server: TritonServer) -> None:
    try:
        server.restart()
    except ServerError as error:
        logger.warning("%s", error)
