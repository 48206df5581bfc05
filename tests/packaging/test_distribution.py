"""What `pip install callscope` gives."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("callscope-*.whl")))


def test_the_wheel_holds_the_four_packages_and_nothing_called_client_or_export(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist() if ".dist-info" not in name}
    assert tops == {"callscope", "callscope_preprocessing", "callscope_export", "callscope_server"}


@pytest.mark.parametrize(
    "data",
    [
        "callscope/py.typed",
        "callscope/report/call.schema.json",
        "callscope/report/html/look.css",
        "callscope/report/html/script/search.js",
        "callscope/report/html/template/page.html.j2",
        "callscope/report/html/texts/ko.toml",
        "callscope/analysis/backchannels.toml",
        "callscope_server/requirements.txt",
        "callscope_server/backends/onnxruntime/model.py",
        "callscope_export/profiles/cpu.toml",
    ],
)
def test_the_wheel_carries_the_data_its_code_reads(wheel: zipfile.ZipFile, data: str) -> None:
    assert data in wheel.namelist()


def test_every_locked_requirement_is_an_exact_version() -> None:
    locks = [*(ROOT / "requirements").glob("*.txt"), ROOT / "server" / "callscope_server" / "requirements.txt"]
    assert len(locks) >= 4
    for lock in locks:
        lines = [line.split("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines()]
        loose = [line for line in lines if line and not line.startswith("-r ") and "==" not in line]
        assert not loose, f"{lock.name}: {loose}"
