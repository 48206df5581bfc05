"""A real Triton that looks into its repository every second, as a running one does that models are published to."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from callscope_export import export_classifier, roll_back

from ...conftest import ROOT

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Published:
    """A repository, and the server that serves what is published to it."""

    repository: Path
    server: TritonServer

    @property
    def url(self) -> str:
        return f"grpc://{self.server.endpoints.grpc}"

    def publish(self) -> int:
        """Another sentiment model: the same checkpoint in FP32. Returns the version that is served then."""
        source = ROOT / "demo" / "checkpoints" / "sentiment"
        made = export_classifier(source, self.repository, name="sentiment", precision="fp32")
        (version,) = {model.version for model in made.models if model.name == "sentiment"}
        self._wait_for(version)
        return int(version)

    def go_back(self) -> int:
        """What was served before, again."""
        roll_back(self.repository)
        config = (self.repository / "sentiment" / "config.pbtxt").read_text()
        version = int(config.partition("versions: [")[2].partition("]")[0])
        self._wait_for(version)
        return version

    def _wait_for(self, version: int) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while self.serving() != str(version):
            assert time.monotonic() < deadline_s
            time.sleep(0.1)

    def serving(self) -> str:
        """The version of the sentiment model; several with commas while it changes."""
        ready = (one.version for one in self.server.models() if one.name == "sentiment" and one.state == "READY")
        return ",".join(sorted(ready))


@pytest.fixture(scope="session")
def published(
    repository: Path, server_environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    """A copy of the repository, served by a Triton that polls it."""
    from callscope_server import launcher  # noqa: PLC0415  most tests need no server

    folder = tmp_path_factory.mktemp("published")
    copy = Path(shutil.copytree(repository, folder / "models"))
    plain = launcher.triton_arguments

    def polling(*given: Any, **named: Any) -> list[str]:
        arguments = [each for each in plain(*given, **named) if not each.startswith("--model-control-mode")]
        return [*arguments, "--model-control-mode=poll", "--repository-poll-secs=1"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "triton_arguments", polling)
        server = launcher.TritonServer(copy, environment=server_environment, log_file=folder / "triton.log")
        server.start()
    try:
        yield Published(copy, server)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def recordings(demo_calls: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Three short recordings in three languages."""
    folder = tmp_path_factory.mktemp("recordings")
    for language in ("en", "ja", "ko"):
        sound, rate_hz = soundfile.read(demo_calls / f"{language}.wav", dtype="int16")
        soundfile.write(folder / f"{language}.wav", sound[: 8 * rate_hz], rate_hz)
    return tuple(sorted(folder.iterdir()))
