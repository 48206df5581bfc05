"""Checkpoints from the Hugging Face hub, served here on loopback: pinned, resumed, from the cache, and missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..repository_files import parameters, read_config
from .fixture_types import Checkpoints
from .loopback_hub import COMMIT, Hub, loopback_hub

REPO = "made-up/whisper"
Export = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hub_folder(checkpoint: Checkpoints, tmp_path: Path) -> Path:
    """A checkpoint as its publisher keeps it, with a second set of weights that nobody asked for."""
    folder = tmp_path / "published"
    folder.mkdir()
    for file in checkpoint("multilingual").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "model.fp32-00001-of-00002.safetensors").write_bytes(b"gigabytes")
    return folder


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """Run `callscope export whisper` against a hub, with a cache of its own."""

    def run(url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "callscope", "export", "whisper", REPO, *arguments]
        environment = os.environ | {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "cache")} | settings
        command += ["--repository", str(tmp_path / "repository")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_a_checkpoint_is_fetched_and_its_commit_remembered(hub_folder: Path, export: Export, tmp_path: Path) -> None:
    with loopback_hub(Hub(REPO, hub_folder, revision="v1")) as hub:
        result = export(hub.url, "--revision", "v1")
        assert result.returncode == 0, result.stderr
        told = parameters(read_config(tmp_path / "repository", "transcribe"))
        assert (told["source"], told["revision"]) == (REPO, COMMIT)
        assert not any("fp32" in path for _, path, _ in hub.asked), "one set of weights is enough"


def test_a_broken_line_is_taken_up_again(hub_folder: Path, export: Export) -> None:
    with loopback_hub(Hub(REPO, hub_folder, breaks=2)) as hub:
        result = export(hub.url)
        assert result.returncode == 0, result.stderr
        assert hub.breaks == 0


def test_a_download_that_failed_is_completed_by_the_next(hub_folder: Path, export: Export) -> None:
    with loopback_hub(Hub(REPO, hub_folder, breaks=1000)) as hub:
        failed = export(hub.url)
        assert failed.returncode != 0
        assert "Traceback" not in failed.stderr
        hub.breaks = 0
        assert export(hub.url).returncode == 0


def test_what_is_in_the_cache_needs_no_hub(hub_folder: Path, export: Export) -> None:
    with loopback_hub(Hub(REPO, hub_folder)) as hub:
        assert export(hub.url).returncode == 0
    offline = export(hub.url, HF_HUB_OFFLINE="1")
    assert offline.returncode == 0, offline.stderr


@pytest.mark.parametrize("arguments", [(), ("--revision", "no-such-branch")])
def test_what_the_hub_has_not_is_one_sentence(hub_folder: Path, export: Export, arguments: tuple[str, ...]) -> None:
    with loopback_hub(Hub(REPO if arguments else "another/model", hub_folder)) as hub:
        result = export(hub.url, *arguments)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert f"There is no folder {REPO}" in " ".join(result.stderr.split())
