"""Real servers for the tests of what happens when they fail."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from callscope.triton.endpoint import Endpoint
from callscope.triton.pool import PoolTransport
from callscope.triton.retrying import Policy, RetryingTransport
from callscope.triton.transport import connect

from ...small_models import add_model, make_plus_one, make_slow

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

SLOW_ROW = 'name: "{}" data_type: TYPE_FP32 dims: [1]'


def save_models(folder: Path, queue: int = 0, *, source: str = "one") -> Path:
    """`plus_one`, and `slow`, which takes one request at a time and lets `queue` wait (0: any number)."""
    policy = f"max_queue_size: {queue} allow_timeout_override: true default_timeout_microseconds: 60000000"
    limit = f"dynamic_batching {{ default_queue_policy {{ {policy} }} }}\n"
    told = f'parameters {{ key: "source" value {{ string_value: "{source}" }} }}\n'
    add_model(folder, "plus_one", make_plus_one(), told)
    add_model(folder, "slow", make_slow(), limit, max_batch_size=1, x=SLOW_ROW.format("x"), y=SLOW_ROW.format("y"))
    return folder


def pool(*urls: str, policy: Policy | None = None, probe_s: float = 0.3) -> tuple[RetryingTransport, PoolTransport]:
    """What commands use over these servers, and its pool."""
    inner = PoolTransport([Endpoint(connect(url, timeout_s=30.0)) for url in urls], probe_s=probe_s)
    return RetryingTransport(inner, policy), inner


def count(server: TritonServer, metric: str, model: str, **labels: str) -> int:
    """The sum of a metric of the server over the model's versions."""
    text = _metrics(server)
    wanted = {"model": model, **labels}
    total = 0.0
    for told, value in re.findall(rf"^{metric}{{(.*)}} (\S+)$", text, re.MULTILINE):
        if wanted.items() <= dict(re.findall(r'(\w+)="([^"]*)"', told)).items():
            total += float(value)
    return round(total)


def _metrics(server: TritonServer) -> str:
    """Its page of metrics, for which a server begins to listen a moment after it is ready."""
    for _ in range(50):
        try:
            with urllib.request.urlopen(f"http://{server.endpoints.metrics}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(server.endpoints.metrics)


def port(address: str) -> int:
    """Of "host:port"."""
    return int(address.rsplit(":", 1)[1])
