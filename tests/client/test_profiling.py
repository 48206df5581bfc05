"""A call under the profiler: the same result, and figures that add up."""

from __future__ import annotations

import pstats
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile
from typer.testing import CliRunner

from callscope.cli import app
from callscope.pipeline import analyze
from callscope.profiling import profile_call
from callscope.settings import Settings
from callscope.triton.statistics import ModelStatistics, since, statistics_of
from callscope.triton.transport import connect

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer


@pytest.fixture
def clip(demo_calls: Path, tmp_path: Path) -> Path:
    sound, rate_hz = soundfile.read(demo_calls / "en.wav", dtype="int16")
    soundfile.write(tmp_path / "clip.wav", sound[: 6 * rate_hz], rate_hz)
    return tmp_path / "clip.wav"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
async def test_a_call_is_profiled_with_the_models_that_worked_on_it(
    triton: TritonServer, clip: Path, protocol: str
) -> None:
    url = f"{protocol}://{getattr(triton.endpoints, protocol)}"
    transport = connect(url)
    plain = await analyze(clip, transport, Settings())
    await transport.close()
    found = await profile_call(clip, url, Settings())
    assert [one.text for one in found.call.segments] == [one.text for one in plain.segments]
    words, decoder = found.models["transcribe_words"], found.models["whisper_decoder"]
    assert words.requests >= 1
    assert words.requests == decoder.requests
    assert decoder.mean_batch is not None
    assert decoder.mean_batch >= 1
    assert 0 < decoder.infer_s <= decoder.total_s
    names = [one.name for one in found.functions(10_000)]
    assert any("callscope/pipeline.py" in name for name in names)
    assert any("callscope/preparation.py" in name for name in names), "what runs in threads elsewhere is seen"
    own_s = [one.own_s for one in found.functions(20)]
    assert own_s == sorted(own_s, reverse=True)


def test_the_command_shows_three_tables_and_writes_a_profile(triton: TritonServer, clip: Path, tmp_path: Path) -> None:
    file = tmp_path / "call.prof"
    arguments = ["profile", str(clip), "--server", f"grpc://{triton.endpoints.grpc}", "-o", str(file), "--top", "3"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    for heading in ("Step", "Model", "Function", "transcribe_words", "between steps"):
        assert heading in result.output
    assert pstats.Stats(str(file)).total_calls > 1000  # type: ignore[attr-defined]  # typeshed lacks it


def test_work_between_two_moments_is_what_was_added_by_models_that_worked() -> None:
    def stats(name: str, count: int, runs: int) -> dict[str, object]:
        times = {part: {"count": count, "ns": count * 10**9} for part in ("success", "queue", "compute_infer")}
        return {"name": name, "inference_count": count, "execution_count": runs, "inference_stats": times}

    before = statistics_of([stats("a", 2, 2), stats("b", 5, 5)])
    after = statistics_of([stats("a", 6, 3), stats("a", 1, 1), stats("b", 5, 5)])
    assert since(before, after) == {
        "a": ModelStatistics(requests=5, inferences=5, executions=2, total_s=5.0, queue_s=5.0, infer_s=5.0)
    }
    assert since(before, after)["a"].mean_batch == 2.5
