"""What config.pbtxt asks for reaches ONNX Runtime: asked of a session opened in the server's environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from callscope_server import Environment
from callscope_server.command import OUR_BACKENDS

PROBE = """
import json, sys
sys.path[:0] = sys.argv[1:3]
import model, options
config, args = json.loads(sys.argv[3]), json.loads(sys.argv[4])
try:
    session = model.open_session(options.read_options(config, args))
except options.ConfigError as error:
    sys.exit(str(error))
o = session.get_session_options()
print(json.dumps({
    "intra": o.intra_op_num_threads, "inter": o.inter_op_num_threads, "mode": o.execution_mode.name,
    "level": o.graph_optimization_level.name, "arena": o.enable_cpu_mem_arena, "pattern": o.enable_mem_pattern,
    "providers": session.get_providers(), "spinning": o.get_session_config_entry("session.intra_op.allow_spinning"),
}))
"""


@pytest.fixture
def probe(
    environment: Environment, tmp_path: Path, model: Callable[..., Path], plus_one: Callable[..., onnx.ModelProto]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    folder = model(tmp_path, "probed", plus_one())

    def run(config: dict[str, Any], kind: str = "CPU") -> subprocess.CompletedProcess[str]:
        args = {
            "model_repository": str(folder),
            "model_version": "1",
            "model_instance_kind": kind,
            "model_instance_device_id": "3",
        }
        paths = [str(OUR_BACKENDS / "onnxruntime"), str(environment.triton / "backends" / "python")]
        line = [environment.path / "bin" / "python", "-I", "-c", PROBE, *paths, json.dumps(config), json.dumps(args)]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    return run


def parameters(**values: str) -> dict[str, Any]:
    return {"parameters": {key: {"string_value": value} for key, value in values.items()}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {"spinning": "0"}),
        ({}, {"intra": 0, "mode": "ORT_SEQUENTIAL", "level": "ORT_ENABLE_ALL", "arena": True, "pattern": True}),
        (parameters(intra_op_thread_count="3"), {"intra": 3, "inter": 0}),
        (parameters(execution_mode="1", inter_op_thread_count="2"), {"mode": "ORT_PARALLEL", "inter": 2}),
        (parameters(enable_mem_arena="0", enable_mem_pattern="0"), {"arena": False, "pattern": False}),
        ({"optimization": {"graph": {"level": -1}}}, {"level": "ORT_ENABLE_BASIC"}),
        ({"optimization": {"graph": {"level": 1}}}, {"level": "ORT_ENABLE_EXTENDED"}),
        ({"optimization": {"graph": {"level": 2}}}, {"level": "ORT_DISABLE_ALL"}),
        (parameters(languages="{}", max_tokens="128"), {"intra": 0, "providers": ["CPUExecutionProvider"]}),
    ],
)
def test_an_option_reaches_the_session(
    probe: Callable[..., subprocess.CompletedProcess[str]], config: dict[str, Any], expected: dict[str, Any]
) -> None:
    probed = probe(config)
    assert probed.returncode == 0, probed.stderr
    assert json.loads(probed.stdout).items() >= expected.items()


def test_a_gpu_instance_without_a_cuda_provider_is_refused(
    probe: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    probed = probe({}, kind="GPU")
    assert probed.returncode == 1
    assert "an instance is of kind KIND_GPU, but" in probed.stderr
