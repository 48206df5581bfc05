"""What the doctor finds, on folders, ports and programs made to be well or ill."""

import hashlib
import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callscope import doctor
from callscope.cli import app
from callscope.repository_check import check_models
from callscope.settings import Settings

GRAPH = b"a graph"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A repository with one model of a graph and one ensemble."""
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "model.onnx").write_bytes(GRAPH)
    digest = hashlib.sha256(GRAPH).hexdigest()
    recorded = f'parameters {{ key: "graph_sha256" value {{ string_value: "{digest}" }} }}'
    (tmp_path / "m" / "config.pbtxt").write_text(f'name: "m"\nbackend: "onnxruntime"\n{recorded}\n')
    (tmp_path / "e" / "1").mkdir(parents=True)
    (tmp_path / "e" / "config.pbtxt").write_text('name: "e"\nplatform: "ensemble"\nensemble_scheduling {\n}\n')
    return tmp_path


def put_program(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_this_python_and_these_packages_are_fit_to_run_the_tests() -> None:
    assert doctor.check_python().ok
    assert doctor.check_packages(doctor.PACKAGES).ok


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    finding = doctor.check_packages(["numpy", "no-such-package-at-all"])
    assert not finding.ok
    assert "not installed: no-such-package-at-all" in finding.detail
    assert "-m pip install no-such-package-at-all" in finding.remedy


def test_a_server_environment_that_is_not_made_yet_is_fine(tmp_path: Path) -> None:
    (finding,) = doctor.check_server_environment(tmp_path / "none")
    assert finding.ok
    assert "not made yet" in finding.detail


def test_a_server_environment_without_a_server_is_not(tmp_path: Path) -> None:
    findings = doctor.check_server_environment(tmp_path)
    assert [finding.ok for finding in findings] == [False]
    assert findings[0].remedy


@pytest.mark.parametrize("folder", [".", "none"])
def test_too_little_or_no_shared_memory_is_a_problem(tmp_path: Path, folder: str) -> None:
    finding = doctor.check_shared_memory(tmp_path / folder, 2**60)
    assert not finding.ok
    assert finding.remedy


def test_the_disk_is_judged_where_the_environment_will_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_disk(tmp_path / "a" / "b").ok
    monkeypatch.setattr(doctor, "ENVIRONMENT_BYTES", 2**60)
    finding = doctor.check_disk(tmp_path / "a" / "b")
    assert not finding.ok
    assert str(tmp_path) in finding.detail


def test_no_gpu_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.check_gpu()
    assert finding.ok
    assert "CPU" in finding.detail


def test_gpus_are_listed_as_nvidia_smi_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_program(tmp_path, "nvidia-smi", 'echo "Some GPU, 143771 MiB, 570.1"; echo "Another, 1 MiB, 570.1"')
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.check_gpu()
    assert (finding.ok, finding.detail) == (True, "Some GPU, 143771 MiB, 570.1; Another, 1 MiB, 570.1")


def test_a_driver_that_does_not_answer_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_program(tmp_path, "nvidia-smi", "exit 9")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not doctor.check_gpu().ok


def test_a_port_that_somebody_listens_on_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        finding = doctor.check_ports([port])
    assert not finding.ok
    assert str(port) in finding.detail
    assert doctor.check_ports([port]).ok


def test_a_whole_repository_is_fine(models: Path) -> None:
    finding = check_models(models)
    assert finding.ok
    assert finding.detail.startswith("2 models")


def test_a_graph_other_than_the_recorded_one_is_found(models: Path) -> None:
    (models / "m" / "1" / "model.onnx").write_bytes(b"another graph")
    finding = check_models(models)
    assert not finding.ok
    assert "m has a graph that is not the one its config records" in finding.detail


def test_weights_in_a_file_of_their_own_belong_to_the_graph(models: Path) -> None:
    (models / "m" / "1" / "model.onnx.data").write_bytes(b"weights")
    assert not check_models(models).ok


def test_a_model_without_a_graph_and_one_without_a_config_are_both_named(models: Path) -> None:
    (models / "m" / "1" / "model.onnx").unlink()
    (models / "e" / "config.pbtxt").unlink()
    detail = check_models(models).detail
    assert "m has no graph" in detail
    assert "e has no config.pbtxt" in detail


@pytest.mark.parametrize("name", ["empty", "none"])
def test_an_empty_repository_and_none_at_all_are_problems(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert not check_models(tmp_path / name).ok


def test_a_configured_server_that_does_not_answer_is_a_problem() -> None:
    url = f"grpc://127.0.0.1:{free_port()}"
    finding = doctor.check_server(url, Settings())
    assert not finding.ok
    assert url in finding.detail
    assert finding.remedy


def test_every_problem_comes_with_a_remedy(tmp_path: Path) -> None:
    findings = doctor.examine(Settings(repository=tmp_path, server_environment=tmp_path))
    assert [finding.name for finding in findings if not finding.ok and not finding.remedy] == []
    assert [finding.name for finding in findings if not finding.ok]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_verb_exits_with_6_if_anything_is_wrong_and_0_if_not(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PORTS", (free_port(),))
    ill = CliRunner().invoke(app, ["doctor", "--json", "--repository", str(tmp_path / "none")])
    assert ill.exit_code == 6
    (repository,) = [finding for finding in json.loads(ill.stdout) if finding["name"] == "repository"]
    assert (repository["ok"], bool(repository["remedy"])) == (False, True)
    environment = str(tmp_path / "not-made-yet")
    well = CliRunner().invoke(app, ["doctor", "--repository", str(models), "--server-environment", environment])
    assert "problem" not in well.stdout
    assert well.exit_code == 0
