"""The command line: exit codes, what goes to stdout and what to stderr, signals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from callscope import __version__, demo
from callscope.cli import app
from callscope.commands import doctor as doctor_verb
from callscope.report.json import schema
from callscope.settings import Settings

if TYPE_CHECKING:
    from callscope_server.environment import Environment
    from callscope_server.launcher import TritonServer

VERBS = ("demo", "analyze", "transcribe", "serve", "models", "doctor", "config", "export")
TIMEOUT_S = 30.0


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", *Settings.model_fields):
        monkeypatch.delenv(f"CALLSCOPE_{name.upper()}", raising=False)
    monkeypatch.setenv("CALLSCOPE_DEBUG", "")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def unreachable() -> str:
    """The address of a server that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"grpc://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """Something that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.settimeout(TIMEOUT_S)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A second of quiet noise."""
    samples = np.random.default_rng(1).normal(0, 0.01, 8000).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", samples, 8000)
    return tmp_path / "noise.wav"


def test_without_arguments_the_help_lists_every_verb() -> None:
    shown = run().output
    assert [verb for verb in VERBS if f"  {verb} " not in shown] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_says_what_it_does(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"Usage: callscope {verb}" in result.stdout or f"Usage: root {verb}" in result.stdout
    assert len(result.stdout.splitlines()) > 6


def test_the_help_of_batch_offers_every_setting_with_its_description() -> None:
    shown = " ".join(run("batch", "--help").stdout.split())
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} " in shown
        assert " ".join((field.description or "").split()[:4]) in shown


def test_version_is_printed_alone() -> None:
    assert run("--version").stdout == f"callscope {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["listen"],
        ["analyze"],
        ["analyze", "x.wav", "--format", "xml"],
        ["analyze", "x.wav", "--concurrency", "many"],
        ["analyze", "x.wav", "--concurrency", "0"],
        ["analyze", "x.wav", "--server", "localhost"],
        ["--config", "nowhere.toml", "config"],
        ["export", "whisper"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_why_on_stderr(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.strip()
    assert result.stdout == ""


def test_an_unknown_key_in_the_settings_file_exits_with_2() -> None:
    Path("callscope.toml").write_text("servr = 'grpc://x:1'")
    result = run("config")
    assert result.exit_code == 2
    assert "servr" in result.stderr


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "directory", "truncated"])
def test_a_file_that_is_no_sound_exits_with_3_and_one_sentence_and_needs_no_server(
    kind: str, tmp_path: Path, noise: Path
) -> None:
    file = tmp_path / "call.wav"
    match kind:
        case "empty":
            file.touch()
        case "text":
            file.write_text("This is no sound.\n" * 100)
        case "directory":
            file.mkdir()
        case "truncated":
            file.write_bytes(noise.read_bytes()[:200])
    result = run("analyze", file)
    assert result.exit_code == 3
    assert "call.wav" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_every_bad_file_is_reported(tmp_path: Path, noise: Path, unreachable: str) -> None:
    first, second = tmp_path / "first.wav", tmp_path / "second.wav"
    result = run("analyze", first, second, noise, "--server", unreachable)
    assert result.exit_code == 3
    assert [name for name in ("first.wav", "second.wav", unreachable) if name not in result.stderr] == []


def test_an_unreachable_server_exits_with_4_and_is_named_once_for_all_files(
    noise: Path, unreachable: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(noise.read_bytes())
    result = run("analyze", noise, other, "--server", unreachable)
    assert result.exit_code == 4
    assert result.stderr.count(unreachable) == 1


def test_models_of_an_unreachable_server_exits_with_4(unreachable: str) -> None:
    assert run("models", "--server", unreachable).exit_code == 4


def test_a_repository_without_models_exits_with_5_before_anything_is_installed(tmp_path: Path, noise: Path) -> None:
    environment = tmp_path / "environment"
    result = run("analyze", noise, "--repository", tmp_path, "--server-environment", environment)
    assert result.exit_code == 5
    assert not environment.exists()


def test_several_results_do_not_go_into_one_file(noise: Path) -> None:
    Path("out.json").write_text("precious")
    result = run("analyze", noise, "other.wav", "--output", "out.json")
    assert result.exit_code == 2
    assert Path("out.json").read_text() == "precious"


def test_a_place_that_cannot_be_written_exits_with_3_before_any_work(noise: Path) -> None:
    Path("file").touch()
    result = run("analyze", noise, "--output", "file/folder/")
    assert result.exit_code == 3
    assert "Choose another place" in result.stderr


def test_export_without_its_packages_exits_with_6_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "callscope_export"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = run("export", "whisper", "some/checkpoint")
    assert result.exit_code == 6
    assert "pip install 'callscope[export]'" in result.stderr


def test_export_of_a_checkpoint_that_is_not_there_exits_with_5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = run("export", "whisper", tmp_path / "nowhere", "--repository", tmp_path / "repository")
    assert result.exit_code == 5
    assert "nowhere" in result.stderr


def test_config_shows_each_settings_value_source_and_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("callscope.toml").write_text("vad_mode = 1")
    monkeypatch.setenv("CALLSCOPE_LANGUAGE", "ko")
    shown = json.loads(run("config", "--concurrency", 7, "--json").stdout)
    assert shown["vad_mode"] == {"value": 1, "source": "callscope.toml"}
    assert shown["language"] == {"value": "ko", "source": "environment"}
    assert shown["concurrency"] == {"value": 7, "source": "flag"}
    assert shown["server"] == {"value": None, "source": "default"}
    table = run("config").stdout
    assert all(name in table for name in Settings.model_fields)


def test_a_bug_is_one_sentence_and_exit_code_1_and_debug_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Settings) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(doctor_verb, "examine", broken)
    result = run("doctor")
    assert result.exit_code == 1
    assert "ZeroDivisionError: by nothing" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    told = CliRunner().invoke(app, ["--debug", "doctor"])
    assert told.exit_code == 1
    assert "Traceback" in told.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_work_with_its_code_and_no_traceback(
    number: signal.Signals, code: int, noise: Path, silent_server: socket.socket
) -> None:
    url = f"http://127.0.0.1:{silent_server.getsockname()[1]}"
    command = [sys.executable, "-m", "callscope", "analyze", str(noise), "--server", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        connection, _ = silent_server.accept()
        with connection:
            process.send_signal(number)
            output, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == code
    assert "Traceback" not in output + errors


def test_a_reader_that_leaves_early_is_no_error_of_ours() -> None:
    script = f"{sys.executable} -m callscope config --json | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    assert (done.stdout, done.stderr) == ("{\n", "")


class TestWithAServer:
    """The verbs that need a real Triton."""

    @pytest.fixture
    def server(self, triton: TritonServer) -> list[str]:
        return ["--server", f"grpc://{triton.endpoints.grpc}"]

    @pytest.fixture
    def call(self) -> Path:
        return demo.demo_calls()[0].audio

    def test_analyze_prints_one_schema_valid_document(self, server: list[str], call: Path) -> None:
        result = run("analyze", call, "--agent-channel", 0, *server)
        assert result.exit_code == 0
        document = json.loads(result.stdout)
        jsonschema.Draft202012Validator(schema()).validate(document)
        assert document["segments"]
        assert [speaker["role"] for speaker in document["speakers"]] == ["agent", "customer"]

    def test_of_several_calls_json_has_a_line_each_and_a_bad_one_does_not_stop_the_others(
        self, server: list[str], call: Path, noise: Path
    ) -> None:
        result = run("analyze", call, "missing.wav", noise, *server)
        assert result.exit_code == 3
        sources = [json.loads(line)["call"]["source"] for line in result.stdout.splitlines()]
        assert sources == [str(call), str(noise)]
        assert "missing.wav" in result.stderr

    def test_results_go_into_a_folder_by_name_and_replace_what_was_there(
        self, server: list[str], call: Path, noise: Path
    ) -> None:
        Path("results").mkdir()
        Path("results/noise.json").write_text("old")
        result = run("analyze", call, noise, "--output", "results", *server)
        assert (result.exit_code, result.stdout) == (0, "")
        assert sorted(file.name for file in Path("results").iterdir()) == ["en.json", "noise.json"]
        assert json.loads(Path("results/noise.json").read_text())["segments"] == []

    def test_transcribe_prints_time_speaker_and_words(self, server: list[str], call: Path) -> None:
        result = run("transcribe", call, "--agent-channel", 0, *server)
        assert result.exit_code == 0
        assert all(line.split()[1] in {"Agent", "Customer"} for line in result.stdout.splitlines())

    def test_a_language_that_the_recogniser_lacks_exits_with_2(self, server: list[str], call: Path) -> None:
        result = run("analyze", call, "--language", "xx", *server)
        assert result.exit_code == 2
        assert "'xx'" in result.stderr

    def test_an_agents_channel_that_the_call_lacks_exits_with_2(self, server: list[str], call: Path) -> None:
        assert run("analyze", call, "--agent-channel", 2, *server).exit_code == 2

    @pytest.mark.parametrize("wire", ["grpc", "http"])
    def test_models_describes_every_model_over_either_protocol(self, triton: TritonServer, wire: str) -> None:
        address = getattr(triton.endpoints, wire)
        result = run("models", "--json", "--server", f"{wire}://{address}")
        assert result.exit_code == 0
        models = {model["name"]: model for model in json.loads(result.stdout)}
        assert {model["state"] for model in models.values()} == {"READY"}
        assert models["transcribe"]["kind"] == "ensemble"
        assert models["whisper_decoder"]["kind"] == "onnxruntime"
        assert models["whisper_decoder"]["precision"] in {"fp32", "fp16", "int8"}
        assert models["whisper_decoder"]["inferences"] >= models["whisper_decoder"]["executions"]

    def test_demo_shows_the_calls_their_errors_and_where_the_results_are(self, server: list[str]) -> None:
        result = run("demo", "--output", "out", *server)
        assert result.exit_code == 0
        assert sorted(file.name for file in Path("out").iterdir()) == ["en.json", "ja.json", "ko.json"]
        for expected in ("WER", "CER", "Real-time factor", "talk time", "out/ko.json"):
            assert expected in result.stdout

    def test_without_a_server_the_embedded_one_runs_for_as_long_as_it_is_needed(
        self, repository: Path, server_environment: Environment, triton: TritonServer, noise: Path
    ) -> None:
        result = run("analyze", noise, "--repository", repository, "--server-environment", server_environment.path)
        assert result.exit_code == 0
        assert json.loads(result.stdout)["processing"]["models"]["asr"]["name"] == "transcribe_words"

    def test_serve_says_what_it_serves_and_ends_cleanly_on_sigterm(self, serving: subprocess.Popen[str]) -> None:
        shown = _read_until(serving, "Analyse with")
        address = shown.split("grpc://127.0.0.1:")[1].split()[0]
        assert "transcribe" in shown
        assert _listens(address)
        serving.terminate()
        assert serving.wait(TIMEOUT_S) == 0
        assert not _listens(address)
        assert Path("triton.log").stat().st_size > 0

    def test_a_server_whose_program_is_killed_outright_is_gone_within_ten_seconds(
        self, serving: subprocess.Popen[str]
    ) -> None:
        address = _read_until(serving, "Analyse with").split("grpc://127.0.0.1:")[1].split()[0]
        serving.kill()
        deadline_s = time.monotonic() + 10
        while _listens(address):
            assert time.monotonic() < deadline_s
            time.sleep(0.1)

    @pytest.fixture
    def serving(
        self, repository: Path, server_environment: Environment, triton: TritonServer
    ) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "callscope", "serve", "--repository", str(repository)]
        options = ["--http-port=0", "--grpc-port=0", "--metrics-port=0"]
        options.append(f"--server-environment={server_environment.path}")
        with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
            yield process
            process.kill()

    def test_a_port_in_use_exits_with_4(self, repository: Path, triton: TritonServer) -> None:
        port = triton.endpoints.http.split(":")[1]
        result = run("serve", "--repository", repository, "--http-port", port)
        assert result.exit_code == 4
        assert port in result.stderr


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout
    shown = ""
    while words not in shown:
        line = process.stdout.readline()
        assert line, shown
        shown += line
    return shown


def _listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0
