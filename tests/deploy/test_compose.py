"""docker-compose.yml: Compose accepts it, it gives away nothing, and it grants no more than is needed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .compose_file import FILE, compose, mounts, profiles, services
from .running import ROOT, required

EACH = pytest.mark.parametrize("service", services().values(), ids=list(services()))
WRITTEN = {"/exports", "/results", "/prometheus", "/var/lib/grafana", "/var/lib/postgresql/data"}
SERVERS = {"triton", "triton-gpu", "proxy", "postgres", "prometheus", "grafana"}
SECRETIVE = re.compile(r"PASSWORD|KEY|TOKEN|HEADERS|STORE")


def config(*arguments: str, **variables: str) -> str:
    """What Compose makes of the file."""
    program = required("docker-compose", "docker-compose")
    chosen = [word for profile in profiles() for word in ("--profile", profile)]
    ended = subprocess.run(
        [program, "--file", FILE, *chosen, "config", *arguments],
        env={**os.environ, **variables},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_compose_reads_it_as_these_tests_do() -> None:
    told = yaml.safe_load(config())
    assert set(told["services"]) == set(services())
    for name, service in told["services"].items():
        assert service.get("command") == services()[name].get("command")
        assert service["user"] == services()[name]["user"]


def test_no_secret_is_in_what_compose_makes_of_it(secrets: Path) -> None:
    told = config(CALLSCOPE_SECRETS=str(secrets))
    assert str(secrets) in told
    for file in secrets.iterdir():
        assert file.read_text().strip() not in told, file.name


def test_every_secret_that_is_mounted_is_made(secrets: Path) -> None:
    made = {file.name for file in secrets.iterdir()}
    used = {name for service in services().values() for name in service.get("secrets", ())}
    assert used == set(compose()["secrets"])
    assert used <= made
    assert "ca.key" not in used


@EACH
def test_it_runs_as_nobody_in_particular_and_writes_nothing_but_its_data(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc"} & set(service)
    assert {target for target, (_, writable) in mounts(service).items() if writable} <= WRITTEN


@EACH
def test_its_use_of_the_machine_and_its_log_have_limits(service: dict[str, Any]) -> None:
    assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"])
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


@EACH
def test_its_image_is_of_one_version(service: dict[str, Any]) -> None:
    tag = service["image"].rpartition(":")[2]
    assert re.match(r"v?\d+\.\d+", tag), service["image"]


@EACH
def test_its_environment_holds_no_secret(service: dict[str, Any]) -> None:
    told = service.get("environment", {})
    named = {name: value for name, value in told.items() if SECRETIVE.search(name)}
    assert all(name.endswith("_FILE") and value.startswith("/run/secrets/") for name, value in named.items())


@EACH
def test_what_it_mounts_of_the_clone_is_there(service: dict[str, Any]) -> None:
    for source, _ in mounts(service).values():
        made_by_others = source.startswith(("./exports", "./results", "./recordings")) or "/" not in source
        assert made_by_others or (ROOT / source).exists(), source


def test_what_is_published_is_so_on_loopback_and_triton_is_not() -> None:
    published = {name: service.get("ports", []) for name, service in services().items()}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert {name for name, ports in published.items() if ports} == {"proxy", "prometheus", "grafana"}


def test_only_the_gateway_and_prometheus_reach_triton() -> None:
    assert compose()["networks"]["models"]["internal"] is True
    reach = {name for name, service in services().items() if "models" in service.get("networks", ())}
    assert reach == {"triton", "triton-gpu", "proxy", "prometheus"}
    assert services()["triton-gpu"]["networks"]["models"]["aliases"] == ["triton"]


def test_servers_say_whether_they_are_well_and_start_again() -> None:
    assert {name for name, service in services().items() if "healthcheck" in service} == SERVERS
    assert {name for name, service in services().items() if service.get("restart") == "unless-stopped"} == SERVERS


def test_the_gpu_profile_takes_the_gpus_and_the_cpu_profile_none() -> None:
    (device,) = services()["triton-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"], device["capabilities"]) == ("nvidia", "all", ["gpu"])
    assert "reservations" not in services()["triton"]["deploy"]["resources"]
