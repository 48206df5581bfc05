"""Copies of a repository that are served another way, and the profile that says so to the exporter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from callscope.errors import SettingsInvalid
from callscope.triton.transcriber import Transcriber
from callscope.triton.transport import connect
from callscope.tuning.profile import render_profile
from callscope.tuning.variant import STAGES, Choice, choice_of, read_config, write_variant
from callscope_export.profile import load_profile

if TYPE_CHECKING:
    from callscope_server.environment import Environment

CHOICE = Choice(instances=2, threads=1, max_batch_size=4, queue_delay_ms=2.5)


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    before = digest(folder)
    yield
    assert digest(folder) == before


def test_a_variant_says_what_was_chosen_and_leaves_the_original_alone(repository: Path, tmp_path: Path) -> None:
    with unchanged(repository):
        write_variant(repository, tmp_path / "variant", CHOICE)
    assert choice_of(tmp_path / "variant") == CHOICE
    for name in STAGES[:3]:
        config = read_config(tmp_path / "variant", name)
        assert (config.max_batch_size, config.instance_group[0].count) == (4, 2)
        assert config.dynamic_batching.max_queue_delay_microseconds == 2500
    assert read_config(tmp_path / "variant", "transcribe").max_batch_size == 4


async def test_a_variant_is_served(repository: Path, tmp_path: Path, server_environment: Environment) -> None:
    from callscope_server.launcher import TritonServer  # noqa: PLC0415  most tests need no server

    write_variant(repository, tmp_path / "variant", CHOICE)
    with TritonServer(tmp_path / "variant", environment=server_environment) as server:
        transport = connect(f"grpc://{server.endpoints.grpc}")
        assert (await Transcriber.from_server(transport)).model.window_samples > 0
        await transport.close()


def test_a_profile_says_the_same_to_the_exporter(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "tuned.toml").write_text(render_profile(repository, CHOICE, "two cores"))
    tuned, shipped = load_profile(str(tmp_path / "tuned.toml")), load_profile("cpu")
    assert (tuned.precision, tuned.kind, tuned.max_queue_size) == ("int8", "KIND_CPU", shipped.max_queue_size)
    assert tuned.queue_timeout_s == shipped.queue_timeout_s
    assert tuned.placed((), None).instances == 2
    assert set(tuned.models) == set(shipped.models)
    assert {tuned.models[name].queue_delay_ms for name in STAGES} == {2.5}
    assert [tuned.models[name].threads for name in STAGES] == [1, 1, 1, 1]
    assert tuned.models["sentiment"] == shipped.models["sentiment"]


def test_the_profile_of_the_present_choice_is_the_shipped_one(repository: Path, tmp_path: Path) -> None:
    present = choice_of(repository)
    (tmp_path / "tuned.toml").write_text(render_profile(repository, present, "two cores"))
    tuned, shipped = load_profile(str(tmp_path / "tuned.toml")), load_profile("cpu")
    assert tuned.models["whisper_decoder"] == shipped.models["whisper_decoder"]
    assert tuned.instances == shipped.instances


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="callscope export"):
        choice_of(tmp_path)
    (tmp_path / "whisper_decoder").mkdir()
    (tmp_path / "whisper_decoder" / "config.pbtxt").write_text("max_batch_size: many")
    with pytest.raises(SettingsInvalid, match="callscope export"):
        choice_of(tmp_path)
