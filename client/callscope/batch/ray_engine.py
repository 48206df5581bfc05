"""The batch on Ray: its workers take recordings, and what one that dies leaves undone is done by another.

Ray starts the workers, here or on the machines of a cluster, carries the work to them and repeats what is lost. A
result is stored by the worker itself; the store's claims and its key see to it that a call has one.
"""

from __future__ import annotations

import io
import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, TextIO, cast

from callscope.batch.ray_worker import Orders, RayWorker, Stopped
from callscope.batch.run import AHEAD
from callscope.batch.sources import Item
from callscope.batch.tally import Tally
from callscope.batch.work import Outcome
from callscope.batch.worker_errors import ClusterUnusable, WorkerStopped
from callscope.errors import ExtraMissing, SettingsInvalid
from callscope.store.engine import parse_url

logger = logging.getLogger(__name__)

RETRIES = 2
"""How often Ray gives a recording to a worker again that died with it."""
OBJECTS_BYTES = 200 << 20
"""Ray's object store on one machine, of which next to nothing is used."""
QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}
LOCAL = {**QUIET, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""The second is Ray's own switch for a cluster of one machine, which keeps every port of it on loopback; it is named
after the systems that have it by default."""
DEADLY = (
    "The worker died each time it worked on this recording, which may be too large for its memory or crash a decoder."
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the workers are.

    Attributes:
        address: of a cluster that runs; None starts one on this machine for as long as it is needed.
        workers: how many there are.
    """

    address: str | None
    workers: int


def run_on_ray(
    items: Sequence[Item],
    orders: Orders,
    cluster: Cluster,
    *,
    tally: Tally,
    told: Callable[[Tally], None] = lambda _: None,
) -> None:
    """Analyse recordings on the workers of a cluster: `run_batch`, with the same tally.

    A recording with which workers died is given to one again with nothing beside it; if that dies too it is set aside.

    Args:
        items: the recordings.
        orders: what each worker is told.
        cluster: where the workers are.
        tally: what happens is written here as it happens.
        told: called after each recording.

    Raises:
        WorkerStopped: what ends a batch: a server, a storage or a database that stays away, a setting that is wrong.
        ClusterUnusable: Ray cannot be started or reached.
        ExtraMissing: Ray is not installed.
    """
    with _ray(cluster) as ray:
        _require_shared(ray, orders.settings.store)
        actor = ray.remote(RayWorker).options(
            num_cpus=1, max_restarts=-1, max_task_retries=RETRIES, max_concurrency=orders.most + AHEAD + 1
        )
        crew = _Crew(ray, [actor.remote(orders) for _ in range(cluster.workers)], tally, told)
        crew.work(items, most=orders.most + AHEAD)
        crew.work(crew.elsewhere, most=1, patient=True)
        for item in crew.lost:
            crew.work_alone(item)


@dataclass(slots=True)
class _Crew:
    """The workers, and what became of their recordings.

    Attributes:
        elsewhere: recordings that a process outside this batch works on.
        lost: recordings with which workers died.
    """

    ray: Any
    workers: list[Any]
    tally: Tally
    told: Callable[[Tally], None]
    elsewhere: list[Item] = field(default_factory=list)
    lost: list[Item] = field(default_factory=list)

    def work(self, items: Sequence[Item], *, most: int, patient: bool = False) -> None:
        """Keep every worker busy with so many recordings until there are none."""
        waiting = deque(items)
        free = deque(worker for _ in range(most) for worker in self.workers)
        begun: dict[Any, tuple[Item, Any]] = {}
        while waiting or begun:
            while waiting and free:
                item, worker = waiting.popleft(), free.popleft()
                begun[worker.do.remote(item, patient=patient)] = item, worker
            for ended in self.ray.wait(list(begun), num_returns=1)[0]:
                item, worker = begun.pop(ended)
                free.append(worker)
                self._count(item, self._outcome(ended))

    def work_alone(self, item: Item) -> None:
        """Give one recording to a worker that has nothing else, so that it is known what kills it."""
        outcome = self._outcome(self.workers[0].do.remote(item, patient=True))
        self._count(item, outcome or Outcome("aside", DEADLY))

    def _outcome(self, ended: Any) -> Outcome | None:  # noqa: ANN401  Ray's reference
        """What a worker tells; None where it died and those after it too."""
        try:
            told: Outcome | Stopped = self.ray.get(ended)
        except self.ray.exceptions.RayActorError:
            return None
        if isinstance(told, Stopped):
            raise WorkerStopped(told.message, told.exit_code)
        return told

    def _count(self, item: Item, outcome: Outcome | None) -> None:
        if outcome is None:
            self.lost.append(item)
        elif outcome.state == "elsewhere":
            self.elsewhere.append(item)
        else:
            self.tally.add(item, outcome)
            self.told(self.tally)


@contextmanager
def _ray(cluster: Cluster) -> Iterator[Any]:
    """Ray, started or joined; a cluster of our own ends with the block, and listens on this machine alone."""
    ray = _imported(LOCAL if cluster.address is None else QUIET)
    own = {"num_cpus": cluster.workers, "object_store_memory": OBJECTS_BYTES, "include_dashboard": False}
    at = {"address": cluster.address} if cluster.address else {"address": "local", **own}
    handler = signal.getsignal(signal.SIGTERM)
    with redirect_stdout(cast("TextIO", _ToLog())):  # stdout is for results
        try:
            ray.init(**at, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise ClusterUnusable(cluster.address, type(error).__name__) from error
        finally:
            signal.signal(signal.SIGTERM, handler)  # Ray has put its own there
        try:
            yield ray
        finally:
            ray.shutdown()


def _imported(environment: Mapping[str, str]) -> Any:  # noqa: ANN401  the module, which need not be installed
    os.environ.update(environment)
    try:
        import ray  # noqa: PLC0415  an extra, which reads the environment when it is imported
    except ImportError as error:
        raise ExtraMissing("--engine ray", "ray") from error
    return ray


class _ToLog(io.TextIOBase):
    """Takes what Ray says of its workers."""

    def write(self, text: str) -> int:
        if text.strip():
            logger.info("%s", " ".join(text.split()))
        return len(text)


def _require_shared(ray: Any, store: str) -> None:  # noqa: ANN401  the module, which need not be installed
    """Workers on several machines cannot share a file of SQLite."""
    if len(ray.nodes()) > 1 and parse_url(store).get_backend_name() == "sqlite":
        raise SettingsInvalid("Workers on several machines cannot share SQLite. Name a PostgreSQL with --store.")
