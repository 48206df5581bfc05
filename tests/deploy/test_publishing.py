"""A new version of the models is published while requests come all the time, and none of them fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from loadtest.places import environment as environment_of_sources

from callscope.triton.tls import Tls

from .asking import ask_http
from .manifests import render, triton_of
from .running import CLIENT_HEADER, ROOT, Guarded, gateway, guarded_triton
from .service import Service, service
from .steady import loading

if TYPE_CHECKING:
    from callscope_server.environment import Environment

ONCE_MORE = 5
PATIENCE_S = 60.0


def export(repository: Path, precision: str) -> None:
    """What an operator runs."""
    checkpoint = ROOT / "demo" / "checkpoints" / "recogniser"
    line = [sys.executable, "-m", "callscope", "export", "whisper", checkpoint, f"--precision={precision}"]
    told = environment_of_sources()
    subprocess.run([*line, f"--repository={repository}"], env=told, check=True, capture_output=True, cwd=repository)


def versions(server: Guarded, model: str) -> list[str]:
    """Those that are served."""
    told = json.loads(ask_http(server.http, "GET", f"/v2/models/{model}", server.client_headers)[1])
    return list(told.get("versions", []))


@pytest.fixture
def copied(repository: Path, tmp_path: Path) -> Path:
    """This checkout's models, to publish others beside."""
    return Path(shutil.copytree(repository, tmp_path / "models"))


def test_a_triton_that_polls_takes_up_new_models_without_a_failed_request(
    server_environment: Environment, copied: Path, secrets: Path, tmp_path: Path
) -> None:
    more = ("--model-control-mode=poll", "--repository-poll-secs=1")
    with guarded_triton(server_environment, copied, secrets, tmp_path / "server", *more) as server:
        urls = [f"grpc://{server.grpc}", f"http://{server.http}"]
        before = versions(server, "whisper_decoder")
        with loading(urls, server.client_headers) as load:
            load.wait_for_more(ONCE_MORE)
            export(copied, "fp32")
            deadline_s = time.monotonic() + PATIENCE_S
            while versions(server, "whisper_decoder") == before:
                assert time.monotonic() < deadline_s
                time.sleep(0.2)
            load.wait_for_more(ONCE_MORE)
        assert load.failed == []
        assert versions(server, "whisper_decoder") != before


def drain(name: str) -> list[str]:
    """What a container of the pod does before it is told to end."""
    pod, _ = triton_of(render("overlays/cpu"))
    container = next(each for each in pod["containers"] if each["name"] == name)
    return [str(word) for word in container["lifecycle"]["preStop"]["exec"]["command"]]


def take_down(pod: Pod, led: Service) -> None:
    """What Kubernetes does with a pod that goes: out of the service, each container's preStop, and then its signal."""
    led.pods.remove(pod.place)
    triton_waits = [word.replace("127.0.0.1:8443", pod.place) for word in drain("triton")]
    with subprocess.Popen(triton_waits) as waiting:
        subprocess.run(drain("gateway"), check=True)
        os.kill(pod.gateway_pid, signal.SIGQUIT)
        assert waiting.wait(PATIENCE_S) == 0
    pod.stop()


@dataclass
class Pod:
    """A Triton and its gateway.

    Attributes:
        place: of the gateway, host:port.
        gateway_pid: its process.
        stop: ends what still runs, Triton by SIGTERM.
    """

    place: str
    gateway_pid: int
    stop: Callable[[], None]


@pytest.fixture
def start_pod(server_environment: Environment, secrets: Path, tmp_path: Path) -> Iterator[Callable[[Path, str], Pod]]:
    """Start a pod over a repository; all are ended after the test."""
    with ExitStack() as all_pods:

        def start(repository: Path, name: str) -> Pod:
            pod = all_pods.enter_context(ExitStack())
            folder = tmp_path / name
            server = pod.enter_context(guarded_triton(server_environment, repository, secrets, folder / "triton"))
            place = pod.enter_context(gateway(server, folder / "gateway"))
            return Pod(place, int((folder / "gateway" / "nginx.pid").read_text()), pod.close)

        yield start


def test_pods_are_replaced_by_pods_with_new_models_without_a_failed_request(
    copied: Path, secrets: Path, start_pod: Callable[[Path, str], Pod]
) -> None:
    headers = {CLIENT_HEADER: (secrets / "client_key").read_text().strip()}
    old = start_pod(copied, "old")
    with service() as led:
        led.pods.append(old.place)
        urls = [f"grpcs://{led.place}", f"https://{led.place}"]
        with loading(urls, headers, Tls(ca=secrets / "ca.crt")) as load:
            export(copied, "fp32")
            new = start_pod(copied, "new")
            led.pods.append(new.place)
            take_down(old, led)
            load.wait_for_more(ONCE_MORE)
        assert load.failed == []
