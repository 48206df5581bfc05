"""docs/deploy.md and docs/security.md, command by command: run as they stand, or as far as this machine goes.

Docker, clusters and systemd are not here. Of their commands is tried what can be: that the services, profiles, images,
manifests, secrets and files they name are there, and that what callscope is told parses.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loadtest.places import environment as environment_of_sources

from ..docs.markdown import ROOT, typed_lines
from ..docs.test_commands import parse
from .compose_file import VARIABLE, compose, services
from .manifests import KUBERNETES, OVERLAYS, one, render
from .running import Guarded, required

PAGES = ("deploy.md", "security.md")
LINES = sorted({line for page in PAGES for line in typed_lines(ROOT / "docs" / page)})
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
CLONE = "/opt/callscope/"
ELSEWHERE = ("apt-get install", "git clone", "git pull", "useradd", "systemctl", "make --directory /opt/callscope demo")
"""What only changes a machine of the reader's, and names nothing of ours."""


def run(line: str, folder: Path) -> str:
    told = environment_of_sources()
    ended = subprocess.run(["sh", "-c", line], env=told, cwd=folder, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, f"{line}\n{ended.stderr}"
    return ended.stdout


def try_compose(words: list[str]) -> None:
    """`docker compose --profile P VERB … [SERVICE [ARGUMENTS]]`."""
    profile, rest = words[words.index("--profile") + 1], words[words.index("--profile") + 2 :]
    named = [word for word in rest if word in services()]
    having = {name for name, service in services().items() if profile in service["profiles"]}
    assert having, profile
    assert set(named[:1]) <= having, words
    if rest[0] == "run":
        start = len(rest) - 1 - rest[::-1].index(named[0]) if named.count(named[0]) == 1 else rest.index(named[0])
        if rest[start] == "batch" and "--name" in rest:
            start = len(rest) - 1
        if arguments := rest[start + 1 :]:
            parse(arguments)
    elif rest[0] == "build":
        assert "build" in services()[named[0]]


def try_kubectl(line: str, folder: Path) -> None:
    words = shlex.split(line)
    if "apply" in words:
        assert render(str(Path(words[-1]).relative_to("deploy/kubernetes")))
    elif "create" in words:
        assert "kind:" in run(f"{line} --dry-run=client --output=yaml", folder)
    else:
        kind, _, name = next(word for word in words if "/" in word).partition("/")
        assert one((*render(OVERLAYS[0]), *render("export")), kind.capitalize(), name)


def try_elsewhere(line: str) -> None:
    """What is said of the clone in /opt/callscope is there."""
    paths = [word for word in shlex.split(line) if word.startswith(CLONE)]
    assert paths or any(known in line for known in ELSEWHERE), line
    assert all((ROOT / path.removeprefix(CLONE)).exists() for path in paths)


@pytest.fixture
def attempt(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], None]:
    """Try a line."""

    def at_the_gateway(line: str) -> None:
        guarded: Guarded = request.getfixturevalue("guarded")
        port = str(request.getfixturevalue("front")).rpartition(":")[2]
        (tmp_path / "secrets").symlink_to(guarded.secrets)
        (tmp_path / "demo").symlink_to(ROOT / "demo")
        line = re.sub(r"\bcallscope (?=analyze)", f"{sys.executable} -m callscope ", line)
        run(line.replace("localhost:8443", f"localhost:{port}").replace("curl ", "curl --fail "), tmp_path)

    def try_line(line: str) -> None:
        if "localhost:8443" in line:
            required("curl", "curl")
            at_the_gateway(line.removeprefix("sudo ").replace("/etc/callscope/", ""))
        elif line.startswith("sudo "):
            try_elsewhere(line)
        elif " compose " in line:
            try_compose(shlex.split(line))
        elif line.startswith("docker build"):
            stage = re.search(r"--target (\w+)", line)
            assert stage and f" AS {stage[1]}\n" in (ROOT / "docker" / "Dockerfile").read_text()
        elif line.startswith("kubectl"):
            required("kubectl", "kubernetes-client")
            (tmp_path / "secrets").symlink_to(request.getfixturevalue("secrets"))
            try_kubectl(line, tmp_path)
        elif line.startswith("deploy/make-secrets.sh"):
            required("openssl", "openssl")
            (tmp_path / "deploy").symlink_to(ROOT / "deploy")
            run(line, tmp_path)
            assert (tmp_path / "secrets" / "tls.crt").is_file()
        elif line.startswith(("mkdir", "echo")):
            run(line, tmp_path)
        elif line.startswith("helm"):
            assert (ROOT / shlex.split(line)[-1]).is_file()
        else:
            assert "callscope " in line or line in ELSEWHERE, line  # tests/docs/test_commands.py parses those

    return try_line


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_pages(line: str, attempt: Callable[[str], None]) -> None:
    attempt(line)


def test_every_variable_of_compose_is_explained_and_no_other() -> None:
    used = {name for name, _ in VARIABLE.findall((ROOT / "docker-compose.yml").read_text())}
    told = set(re.findall(r"`(CALLSCOPE_[A-Z_]+)", PAGE))
    asides = {"CALLSCOPE_VERSION", "CALLSCOPE_LOAD_USERS", "CALLSCOPE_LOAD_TIME"}
    known = {name for service in services().values() for name in service.get("environment", {})}
    assert used - asides <= told | set(re.findall(r"(CALLSCOPE_\w+)=", PAGE))
    assert told <= used | known | {"CALLSCOPE_SECRETS_DIR"}
    assert compose()["version"] == "3.9"


def test_every_overlay_is_explained() -> None:
    there = {f"overlays/{folder.name}" for folder in (KUBERNETES / "overlays").iterdir()}
    assert set(re.findall(r"^\| `(overlays/[\w-]+)`", PAGE, re.MULTILINE)) == there


def test_sizing_is_what_was_measured() -> None:
    measured = (ROOT / "docs" / "benchmarks.md").read_text()
    rows = re.findall(r"^\| whisper-(\w+) \| (\d+) \| ([\d,]+) MiB \| (\d+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    assert rows
    for name, times, memory, calls, hours in rows:
        part = measured.partition(f"## Dimensions of whisper-{name}\n")[2].partition("\n## ")[0]
        row = re.search(r"^\| Callscope int8, Triton, 16 clients \| (\d+) \|.*?\| (\d+) MiB", part, re.MULTILINE)
        assert row and (row[1], row[2]) == (times, memory.replace(",", ""))
        assert (int(times) // 2, int(times) * 24) == (int(calls), int(hours.replace(",", "")))


@pytest.mark.parametrize("unit", ["callscope", "callscope-gateway"])
def test_a_unit_is_one_that_systemd_takes(unit: str, tmp_path: Path) -> None:
    systemd = required("systemd-analyze", "systemd")
    text = (ROOT / "deploy" / "systemd" / f"{unit}.service").read_text()
    (start,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    if unit == "callscope":
        parse(shlex.split(start)[1:])
    text = text.replace(shlex.split(start)[0], "/bin/true")
    (tmp_path / f"{unit}.service").write_text(text.replace("callscope.service", "network.target"))
    ended = subprocess.run(
        [systemd, "verify", tmp_path / f"{unit}.service"], check=False, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
