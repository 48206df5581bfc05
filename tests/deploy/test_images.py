"""docker/Dockerfile: pinned, small, nobody is root in it, and it copies what is there."""

from __future__ import annotations

import re
from fnmatch import fnmatch

import pytest

from .compose_file import services
from .running import ROOT

FILE = ROOT / "docker" / "Dockerfile"
TEXT = re.sub(r"\\\n\s*", "", FILE.read_text(encoding="utf-8"))
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
STAGE = re.compile(r"FROM (\S+) AS (\S+)")
STAGES = {name: base for base, name in STAGE.findall(TEXT)}
FINAL = ("client", "export", "loadtest")
IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


def instructions(stage: str) -> list[str]:
    """What makes a stage, its base's first."""
    base = STAGES[stage]
    start = next(place for place, line in enumerate(LINES) if STAGE.fullmatch(line) and line.endswith(f" AS {stage}"))
    rest = LINES[start + 1 :]
    end = next((place for place, line in enumerate(rest) if STAGE.fullmatch(line)), len(rest))
    return [*(instructions(base) if base in STAGES else []), *rest[:end]]


def copied() -> list[str]:
    """What is taken from the clone."""
    lines = [line.split()[1:-1] for line in LINES if line.startswith("COPY") and "--from" not in line]
    return [path for line in lines for path in line]


def test_compose_builds_every_image_there_is() -> None:
    built = {service["build"]["target"] for service in services().values() if "build" in service}
    assert built == set(FINAL)


@pytest.mark.parametrize("stage", FINAL)
def test_nobody_is_root_in_an_image_and_pip_is_not_run_in_it(stage: str) -> None:
    lines = instructions(stage)
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users
    assert all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users)
    assert not any(line.startswith(("RUN", "ADD")) for line in lines)
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_bases_have_a_full_version() -> None:
    bases = {base for base in STAGES.values() if base not in STAGES}
    assert bases
    assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in bases)


def test_only_pinned_packages_are_installed() -> None:
    for line in LINES:
        for command in re.findall(r"pip install ([^&]*)", line):
            words = [word for word in command.split() if word not in ("--requirement", "--no-deps")]
            assert all("==" in word or word.startswith(("/requirements/", "/wheels/")) for word in words), command
            assert all((ROOT / word[1:]).is_file() for word in words if word.startswith("/requirements/"))


def test_what_is_copied_is_there_and_let_through() -> None:
    assert IGNORED[0] == "*"
    let = [line[1:] for line in IGNORED if line.startswith("!")]
    for path in copied():
        assert (ROOT / path).exists(), path
        assert any(path == each or path.startswith(f"{each}/") for each in let), path


def test_nothing_else_is_let_through_and_no_secret() -> None:
    let = {line[1:] for line in IGNORED if line.startswith("!")}
    assert let == set(copied())
    assert not any(fnmatch("secrets", each) or fnmatch(".git", each) for each in let)
