"""How models are served: profiles in, config.pbtxt out."""

import warnings
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format

from callscope_export import export_whisper
from callscope_export.config import to_text
from callscope_export.errors import ProfileInvalid
from callscope_export.profile import load_profile

from .fixture_types import Checkpoints, Repositories

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tritonclient.grpc import model_config_pb2

GRAPHS = ("log_mel", "whisper_encoder", "whisper_decoder")
GPU, CPU = model_config_pb2.ModelInstanceGroup.KIND_GPU, model_config_pb2.ModelInstanceGroup.KIND_CPU


def read_config(folder: Path, model: str) -> Any:
    return text_format.Parse((folder / model / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())


@pytest.mark.parametrize("model", GRAPHS)
def test_the_cpu_profile_reaches_the_configs(repository: Repositories, model: str) -> None:
    config, serving = read_config(repository("multilingual", "int8"), model), load_profile("cpu").models[model]
    assert (config.backend, config.platform) == ("onnxruntime", "")
    assert config.max_batch_size == serving.max_batch_size
    assert [(group.kind, group.count, list(group.gpus)) for group in config.instance_group] == [(CPU, 1, [])]
    threads = {key: config.parameters[key].string_value for key in ("intra_op_thread_count", "inter_op_thread_count")}
    assert threads == {"intra_op_thread_count": str(serving.threads), "inter_op_thread_count": "1"}
    assert config.parameters["execution_mode"].string_value == "0"
    assert list(config.version_policy.specific.versions) == [1]


@pytest.mark.parametrize("model", GRAPHS)
def test_requests_for_the_recogniser_wait_in_a_bounded_queue_with_two_priorities(
    repository: Repositories, model: str
) -> None:
    batching = read_config(repository("multilingual", "int8"), model).dynamic_batching
    assert not batching.preferred_batch_size
    assert batching.max_queue_delay_microseconds == 0
    if model == "log_mel":
        assert not batching.HasField("default_queue_policy")
        assert batching.priority_levels == 0
        return
    policy = batching.default_queue_policy
    assert (batching.priority_levels, batching.default_priority_level) == (2, 2)
    assert (policy.max_queue_size, policy.default_timeout_microseconds) == (256, 60_000_000)
    assert policy.timeout_action == policy.REJECT


def test_warmup_gives_every_input_and_lets_the_decoder_take_steps(repository: Repositories) -> None:
    folder = repository("multilingual", "fp16")
    for model in GRAPHS:
        config = read_config(folder, model)
        assert [warmup.batch_size for warmup in config.model_warmup] == list(
            load_profile("gpu").models[model].warmup_batches
        )
        for warmup in config.model_warmup:
            assert warmup.batch_size <= config.max_batch_size
            for tensor in config.input:
                given = warmup.inputs[tensor.name]
                assert (given.data_type, list(given.dims)) == (tensor.data_type, list(tensor.dims))
                if given.input_data_file:
                    content = (folder / model / "warmup" / given.input_data_file).read_bytes()
                    assert int.from_bytes(content, "little") > 1
    assert (folder / "whisper_decoder" / "warmup" / "max_tokens").is_file()
    assert not (folder / "transcribe" / "warmup").exists()


@pytest.mark.parametrize("name", ["punctuate", "sentiment"])
def test_text_models_answer_from_the_cache_and_others_do_not(repository: Repositories, name: str) -> None:
    assert read_config(repository(name, "int8"), name).response_cache.enable
    assert not read_config(repository("multilingual", "int8"), "whisper_decoder").response_cache.enable


def test_gpus_and_instances_can_be_chosen(checkpoint: Checkpoints, tmp_path: Path) -> None:
    report = export_whisper(checkpoint("multilingual"), tmp_path, profile="gpu", gpus=(0, 2), instances=3)
    assert (report.profile, report.precision) == ("gpu", "fp16")
    for model in GRAPHS:
        (group,) = read_config(tmp_path, model).instance_group
        assert (group.kind, group.count, list(group.gpus)) == (GPU, 3, [0, 2])
    (tokenizer,) = read_config(tmp_path, "whisper_tokenizer").instance_group
    assert tokenizer.kind == CPU


def test_a_profile_can_be_a_file_of_ones_own(checkpoint: Checkpoints, tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    text = (load_profile.__globals__["_PROFILES"] / "cpu.toml").read_text()
    own.write_text(
        text.replace('precision = "int8"', 'precision = "fp32"').replace("max_queue_size = 256", "max_queue_size = 9")
    )
    report = export_whisper(checkpoint("multilingual"), tmp_path / "repository", profile=str(own))
    assert (report.profile, report.precision) == ("mine", "fp32")
    policy = read_config(tmp_path / "repository", "whisper_encoder").dynamic_batching.default_queue_policy
    assert policy.max_queue_size == 9


def test_profiles_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="cpu, gpu"):
        load_profile("tpu")
    (tmp_path / "broken.toml").write_text("precision = ")
    (tmp_path / "odd.toml").write_text('colour = "red"\n[models]\n')
    for name in ("broken", "odd"):
        with pytest.raises(ProfileInvalid, match=r"cannot be understood"):
            load_profile(str(tmp_path / f"{name}.toml"))
    with pytest.raises(ProfileInvalid, match="uses no GPU"):
        load_profile("cpu").placed((0,), 1)
    with pytest.raises(ProfileInvalid, match="at least 1"):
        load_profile("gpu").placed((), 0)


@pytest.mark.parametrize("text", ['quote " and \\ backslash', "line\nbreak", "日本語 한국어", "UPPER", "", "{'a': 1}"])
def test_any_text_survives_the_config(text: str) -> None:
    message = {"name": text, "parameters": [{"key": text, "value": {"string_value": text * 30}}]}
    config = text_format.Parse(to_text(message), model_config_pb2.ModelConfig())
    assert config.name == text
    assert config.parameters[text].string_value == text * 30
