"""What the doctor says of a repository's configs: nothing of ours, and something of each common mistake."""

from pathlib import Path

import pytest

from callscope.repository_advice import advise

GOOD = """
backend: "onnxruntime"
max_batch_size: 8
instance_group { count: 1 kind: KIND_CPU }
dynamic_batching { default_queue_policy { max_queue_size: 64 } }
model_warmup { name: "batch_1" batch_size: 1 }
parameters { key: "intra_op_thread_count" value { string_value: "2" } }
"""
ACCELERATOR = """
optimization { execution_accelerators {
  gpu_execution_accelerator { name: "cuda" parameters { key: "gpu_mem_limit" value: "1" } }
} }
"""
ENSEMBLE = """
platform: "ensemble"
max_batch_size: 8
ensemble_scheduling { step { model_name: "m" model_version: -1 } }
"""
INT8 = 'parameters { key: "precision" value { string_value: "int8" } }'
REPOSITORY = Path(__file__).parents[2] / "model_repository"


def write(repository: Path, name: str, config: str, graph: bytes = b"a graph") -> None:
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(config)
    (repository / name / "1" / "model.onnx").write_bytes(graph)


def said(repository: Path, cores: int = 2) -> list[tuple[str, str]]:
    findings = advise(repository, cores, cpu_facts=repository / "no cpuinfo")
    assert all(finding.ok and finding.remedy for finding in findings)
    return [(finding.name, finding.detail) for finding in findings]


def test_our_own_repository_is_as_it_should_be() -> None:
    assert said(REPOSITORY) == []


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (("max_queue_size: 64", ""), "queue without end"),
        (("default_queue_policy", "preferred_batch_size: [4] default_queue_policy"), "preferred_batch_size"),
        (("dynamic_batching { default_queue_policy { max_queue_size: 64 } }", ""), "never makes one"),
        (("count: 1", "count: 2"), "2 x 2 threads of 2 cores"),
        (('string_value: "2"', 'string_value: "0"'), None),
        (("instance_group { count: 1 kind: KIND_CPU }", ""), "no instance_group"),
        (("max_batch_size: 8", f"max_batch_size: 8 {ACCELERATOR}"), "gpu_mem_limit inside execution_accelerators"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, change: tuple[str, str], clause: str | None) -> None:
    write(tmp_path, "m", GOOD.replace(*change))
    details = [detail for _, detail in said(tmp_path)]
    assert all(clause in detail for detail in details[:1]) if clause else not details
    assert bool(details) == (clause is not None)


def test_a_model_of_milliseconds_needs_no_queue_policy_and_is_not_to_have_one(tmp_path: Path) -> None:
    for name, config in (("sentiment", GOOD), ("punctuate", GOOD.replace("max_queue_size: 64", ""))):
        write(tmp_path, name, f'name: "{name}"\n{config}')
    plain = GOOD.replace("{ default_queue_policy { max_queue_size: 64 } }", "{ }")
    write(tmp_path, "log_mel", f'name: "log_mel"\n{plain}')
    found = said(tmp_path)
    assert [name for name, _ in found] == ["punctuate", "sentiment"]
    assert all("half a second" in detail for _, detail in found)


@pytest.mark.parametrize("kind", ["KIND_GPU", "KIND_AUTO"])
def test_what_may_run_on_a_gpu_is_to_be_warmed_up(tmp_path: Path, kind: str) -> None:
    cold = GOOD.replace("model_warmup", "#")
    write(tmp_path, "on_cpu", cold)
    write(tmp_path, "other", cold.replace("KIND_CPU", kind))
    assert [name for name, detail in said(tmp_path) if "not warmed up" in detail] == ["other"]


def test_all_cores_for_each_of_two_instances_is_too_many(tmp_path: Path) -> None:
    write(tmp_path, "m", GOOD.replace("count: 1", "count: 2").replace('string_value: "2"', 'string_value: "0"'))
    assert said(tmp_path) == [("m", "has 2 instances with a thread on every core each")]


@pytest.mark.parametrize("operator", [b"DynamicQuantizeLinear", b"MatMulIntegerToFloat"])
def test_dynamic_int8_hurts_on_a_gpu_only(tmp_path: Path, operator: bytes) -> None:
    graph = b"x" * 5_000_000 + operator + b"x"
    write(tmp_path, "on_cpu", GOOD, graph)
    write(tmp_path, "on_gpu", GOOD.replace("KIND_CPU", "KIND_GPU"), graph)
    write(tmp_path, "fine", GOOD.replace("KIND_CPU", "KIND_GPU"))
    assert [name for name, _ in said(tmp_path)] == ["on_gpu"]


@pytest.mark.parametrize(
    ("precision", "facts", "warned"),
    [
        ("int8", "flags\t\t: fpu avx2", True),
        ("int8", "flags\t\t: fpu avx2 avx512_vnni", False),
        ("int8", "flags\t\t: fpu avx_vnni\nbugs\t\t: none", False),
        ("int8", "Features\t: fp asimd", False),
        ("fp32", "flags\t\t: fpu avx2", False),
    ],
)
def test_int8_loses_accuracy_where_there_is_no_vnni(
    tmp_path: Path, precision: str, facts: str, *, warned: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(facts)
    for name in ("one", "other"):
        write(tmp_path, name, GOOD + INT8.replace("int8", precision))
    found = advise(tmp_path, cores=2, cpu_facts=tmp_path / "cpuinfo")
    assert [finding.name for finding in found] == (["int8"] if warned else [])
    assert all("2 models" in finding.detail and "fp32" in finding.remedy for finding in found)


def test_what_linux_does_not_tell_is_not_warned_of(tmp_path: Path) -> None:
    write(tmp_path, "m", GOOD + INT8)
    assert advise(tmp_path, cores=2, cpu_facts=tmp_path / "nothing") == []


def test_an_ensemble_is_no_faster_than_its_parts(tmp_path: Path) -> None:
    write(tmp_path, "e", ENSEMBLE)
    assert said(tmp_path) == [("e", "needs m, which is not there")]
    write(tmp_path, "m", GOOD)
    assert said(tmp_path) == []
    (tmp_path / "m" / "config.pbtxt").write_text("max_batch_size: 8")
    assert ("e", "takes batches, and its part m makes none of several requests") in said(tmp_path)


def test_a_config_that_cannot_be_read_is_left_to_the_other_checks(tmp_path: Path) -> None:
    write(tmp_path, "m", "no config {")
    assert said(tmp_path) == []
