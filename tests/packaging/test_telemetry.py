"""No library tells its maker what is done here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
SOURCES = Path(__file__).parents[2]


def left_by(lines: str, folder: Path) -> list[str]:
    """What a Python leaves in its folder for temporary files, where ONNX Runtime's telemetry keeps its session."""
    plain = {name: value for name, value in os.environ.items() if name not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    path = os.pathsep.join(str(SOURCES / root) for root in ("client", "preprocessing", "export", "server"))
    environment = {**plain, "TMPDIR": str(folder), "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", lines], env=environment, check=True, capture_output=True)
    return [file.name for file in folder.iterdir()]


@pytest.mark.parametrize("package", ["callscope", "callscope_preprocessing", "callscope_export", "callscope_server"])
def test_telemetry_of_onnx_runtime_is_off_in_every_package(package: str, tmp_path: Path) -> None:
    assert left_by(f"import {package}, onnxruntime", tmp_path) == []
