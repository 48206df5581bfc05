"""The server's environment: found, checked, made once, never used half-made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from callscope_server import (
    Environment,
    EnvironmentBroken,
    Finding,
    TritonServer,
    check_environment,
    default_environment,
    ensure_environment,
)
from callscope_server.build import MARK, build, is_complete
from callscope_server.environment import REQUIREMENTS
from callscope_server.libraries import check_libpython

from ..damaged_environments import install_other_numpy, link_environment, python_without_library, use_stub_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(environment: Environment, tmp_path: Path) -> Environment:
    return link_environment(environment, tmp_path / "copy")


def broken(findings: list[Finding]) -> list[str]:
    return [each.name for each in findings if not each.ok]


@pytest.fixture(name="python_without_library")
def python_without_library_fixture(environment: Environment) -> str:
    return python_without_library(environment)


def test_a_sound_environment_has_nothing_to_mend(environment: Environment) -> None:
    findings = check_environment(environment.path)
    assert [each.name for each in findings] == ["tritonserver", "libpython", "numpy", "onnxruntime"]
    assert all(each.ok and not each.remedy for each in findings)


def test_numpy_2_is_found_and_explained(copy: Environment) -> None:
    install_other_numpy(copy, "2.1.3")
    assert broken(check_environment(copy.path)) == ["numpy"]
    with pytest.raises(
        EnvironmentBroken, match=r"NumPy 2\.1\.3 is in .* Run .*/bin/python -m pip install numpy==1\."
    ) as caught:
        ensure_environment(copy.path)
    assert caught.value.exit_code == 6


def test_a_server_does_not_start_on_numpy_2(
    copy: Environment, tmp_path: Path, model: Callable[..., Path], plus_one: Callable[..., onnx.ModelProto]
) -> None:
    install_other_numpy(copy, "2.4.6")
    model(tmp_path / "repository", "plus_one", plus_one())
    with pytest.raises(EnvironmentBroken, match="NumPy 2"):
        TritonServer(tmp_path / "repository", environment=copy).start()


def test_missing_numpy_and_onnxruntime_are_both_said_at_once(copy: Environment) -> None:
    for name in ("numpy", "onnxruntime"):
        for entry in copy.site_packages.glob(f"{name}*"):
            entry.unlink()
    assert broken(check_environment(copy.path)) == ["numpy", "onnxruntime"]
    with pytest.raises(EnvironmentBroken, match=r"NumPy is missing .* ONNX Runtime is missing"):
        ensure_environment(copy.path)


def test_a_missing_libpython_is_found_and_its_package_named(
    copy: Environment, python_without_library: str, environment: Environment
) -> None:
    use_stub_of(copy, python_without_library)
    assert broken(check_environment(copy.path)) == ["libpython"]
    said = f"libpython{python_without_library}.so.1.0, .*: apt-get install libpython{environment.python_version}"
    with pytest.raises(EnvironmentBroken, match=said) as caught:
        ensure_environment(copy.path)
    assert caught.value.exit_code == 6


def test_a_library_in_a_folder_that_is_searched_counts_as_found(
    environment: Environment, python_without_library: str, tmp_path: Path
) -> None:
    stub = environment.triton / "python_backend_stubs" / python_without_library / environment.stub.name
    own = next(folder for folder in environment.library_folders if folder.name != "nvidia_pytriton.libs")
    assert not check_libpython(stub, python_without_library, [tmp_path]).ok
    real = next(own.glob(f"libpython{environment.python_version}.so.1.0"))
    (tmp_path / f"libpython{python_without_library}.so.1.0").symlink_to(real)
    assert check_libpython(stub, python_without_library, [tmp_path]).ok


def test_the_command_ends_with_6_and_one_line(copy: Environment, tmp_path: Path) -> None:
    install_other_numpy(copy, "2.0.0")
    line = [sys.executable, "-m", "callscope_server", str(tmp_path), "--environment", str(copy.path)]
    ended = subprocess.run(
        line, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "server")}
    )
    assert ended.returncode == 6
    assert ended.stderr.startswith("error: NumPy 2.0.0 is in")
    assert ended.stderr.count("\n") == 1


def test_an_environment_without_tritonserver_is_explained(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "plain"], check=True)
    with pytest.raises(EnvironmentBroken, match="holds no tritonserver"):
        ensure_environment(tmp_path / "plain")


def test_the_default_folder_follows_the_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CALLSCOPE_SERVER_ENVIRONMENT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_environment().parent == tmp_path / "callscope"
    monkeypatch.setenv("CALLSCOPE_SERVER_ENVIRONMENT", str(tmp_path / "mine"))
    assert default_environment() == tmp_path / "mine"


def test_the_packaged_requirements_are_exact(environment: Environment) -> None:
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines)
    assert sum(line.startswith(("nvidia-pytriton==", "onnxruntime==", "numpy==1.")) for line in lines) == 3
    checked = subprocess.run(
        [environment.path / "bin" / "python", "-I", "-c", "import onnxruntime, numpy; print(numpy.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"numpy=={checked.stdout.strip()}" in lines


@pytest.fixture
def nothing_to_install(tmp_path: Path) -> Path:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# nothing\n")
    return requirements


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, nothing_to_install: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("words")
    with pytest.raises(EnvironmentBroken, match="is not a server environment"):
        build(tmp_path / "home", nothing_to_install, lambda _: None)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "words"


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path, nothing_to_install: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentBroken, match=r"cannot be written .* CALLSCOPE_SERVER_ENVIRONMENT"):
        build(tmp_path / "file" / "environment", nothing_to_install, lambda _: None)


def test_what_pip_refuses_is_said_and_the_environment_stays_unusable(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("./no_such_file-1.0-py3-none-any.whl\n")
    with pytest.raises(EnvironmentBroken, match="no_such_file"):
        build(tmp_path / "environment", requirements, lambda _: None)
    assert not is_complete(tmp_path / "environment", requirements)


def start_build(folder: Path, requirements: Path) -> subprocess.Popen[str]:
    code = (
        "import pathlib, sys; from callscope_server.build import build\n"
        "build(*map(pathlib.Path, sys.argv[1:]), lambda line: print(line, flush=True))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, folder, requirements],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
        start_new_session=True,
    )


def test_what_a_killed_build_left_and_what_is_out_of_date_is_made_anew(
    tmp_path: Path, nothing_to_install: Path
) -> None:
    folder = tmp_path / "environment"
    with start_build(folder, nothing_to_install) as killed:
        while not (folder / "bin").exists():
            time.sleep(0.01)
        os.killpg(killed.pid, signal.SIGKILL)
    assert not is_complete(folder, nothing_to_install)
    (folder / "leftover").write_text("")
    build(folder, nothing_to_install, lambda _: None)
    assert is_complete(folder, nothing_to_install)
    assert not (folder / "leftover").exists()
    assert (folder / MARK).is_file()
    nothing_to_install.write_text("# other versions\n")
    assert not is_complete(folder, nothing_to_install)


def test_of_two_builders_one_waits_for_the_other(tmp_path: Path, nothing_to_install: Path) -> None:
    folder = tmp_path / "environment"
    with start_build(folder, nothing_to_install) as one, start_build(folder, nothing_to_install) as other:
        said = one.communicate()[0] + other.communicate()[0]
    assert (one.returncode, other.returncode) == (0, 0)
    assert said.count("Making the server's environment") == 1
    assert said.count("waiting for it") <= 1
    assert is_complete(folder, nothing_to_install)
