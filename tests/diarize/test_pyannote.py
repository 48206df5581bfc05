"""pyannote.audio end to end, with small random networks in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from callscope_preprocessing.audio import Span
from callscope_preprocessing.diarization_errors import EngineFailed, ModelUnreachable, ModelWrong
from callscope_preprocessing.diarize import DiarizeSettings, diarize
from callscope_preprocessing.pyannote import Windows
from callscope_preprocessing.pyannote_pipeline import load_pipeline
from callscope_preprocessing.rttm import write_rttm
from callscope_preprocessing.speakers import SpeakerCount
from callscope_preprocessing.track import Track, track_of

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
pytest.importorskip("pyannote.audio", reason="speakers are told apart by pyannote.audio: run `make test-referee`")
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch, lightning and torchcodec, none of them ours

RATE_HZ = 16_000
DEMO = Path(__file__).parents[2] / "demo/calls"


@pytest.fixture(scope="module")
def pipeline_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.diarize.tiny_pipeline import save_tiny_pipeline

    return save_tiny_pipeline(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture(scope="module")
def track() -> Track:
    """A minute of a real call, the first channel."""
    import soundfile

    recording = sorted(DEMO.rglob("*.wav"))[0]
    pcm, rate_hz = soundfile.read(recording, dtype="int16", always_2d=True, frames=60 * RATE_HZ)
    return track_of(np.ascontiguousarray(pcm[:, 0]), rate_hz)


def test_a_folder_is_a_pipeline_and_a_recording_gets_turns(pipeline_folder: Path, track: Track) -> None:
    speech = [Span(0.5, 6.0), Span(7.0, 10.0)]
    found = diarize(track, speech, DiarizeSettings(engine="pyannote", model=str(pipeline_folder)))
    assert found.method == "pyannote"
    assert found.degraded is None
    assert found.turns
    assert found.exclusive
    for turn in found.turns + found.exclusive:
        assert any(span.start_s <= turn.span.start_s <= turn.span.end_s <= span.end_s for span in speech)
    for one, other in zip(found.exclusive, found.exclusive[1:], strict=False):
        assert one.span.end_s <= other.span.start_s + 1e-6


def test_in_windows_the_speakers_stay_as_few_as_asked(pipeline_folder: Path, track: Track) -> None:
    settings = DiarizeSettings(
        engine="pyannote", model=str(pipeline_folder), speakers=SpeakerCount(1, 2), windows=Windows(4.0, 1.0, 4)
    )
    found = diarize(track, [Span(0.0, track.duration_s)], settings)
    assert 1 <= len(found.speakers) <= 2
    assert found.turns[-1].span.end_s > 4.0


def test_batches_are_set_and_telemetry_is_off(pipeline_folder: Path, track: Track) -> None:
    pipeline = load_pipeline(str(pipeline_folder))
    assert os.environ["PYANNOTE_METRICS_ENABLED"] == "0"
    from callscope_preprocessing.pyannote import diarize_by_pyannote

    diarize_by_pyannote(track, [Span(0.0, 3.0)], SpeakerCount(), pipeline, Windows(batch=5))
    assert (pipeline.segmentation_batch_size, pipeline.embedding_batch_size) == (5, 5)


def test_a_damaged_folder_is_named(pipeline_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text((pipeline_folder / "config.yaml").read_text())
    with pytest.raises(ModelWrong, match="is no diarization pipeline"):
        load_pipeline(str(tmp_path))


def test_a_hub_out_of_reach_is_said_in_a_sentence() -> None:
    script = (
        "from callscope_preprocessing.pyannote_pipeline import load_pipeline\n"
        "from callscope_preprocessing.diarization_errors import EngineFailed, ModelUnreachable\n"
        "try:\n    load_pipeline('owner/model')\nexcept ModelUnreachable as error:\n    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the hub cannot be reached" in run.stdout, run.stderr[-2000:]


def test_a_gated_model_asks_for_a_token() -> None:
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    from callscope_preprocessing.diarization_errors import ModelRefused
    from callscope_preprocessing.pyannote_pipeline import _explained

    refused = GatedRepoError.__new__(GatedRepoError)
    assert isinstance(_explained("owner/model", refused), ModelRefused)
    assert isinstance(_explained("owner/model", LocalEntryNotFoundError("no")), ModelUnreachable)


def test_rttm_is_read_by_pyannote(pipeline_folder: Path, track: Track, tmp_path: Path) -> None:
    from pyannote.database.util import load_rttm

    found = diarize(track, [Span(0.0, 8.0)], DiarizeSettings(engine="pyannote", model=str(pipeline_folder)))
    write_rttm(tmp_path / "call.rttm", found.turns, recording="call")
    annotation = load_rttm(tmp_path / "call.rttm")["call"]
    assert len(list(annotation.itertracks())) == len(found.turns)
    assert set(annotation.labels()) == set(found.speakers)


def test_the_segmentation_graph_hears_what_pyannote_hears(pipeline_folder: Path) -> None:
    import onnxruntime
    import torch
    from pyannote.audio import Model
    from pyannote.audio.models.segmentation import PyanNet
    from tests.diarize.tiny_pipeline import save_powerset_network

    from callscope_preprocessing.voices.pyannet import pyannet
    from callscope_preprocessing.voices.weights import read_weights

    path = save_powerset_network(pipeline_folder / "powerset")
    network = Model.from_pretrained(path)
    assert isinstance(network, PyanNet)
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 1, 5 * RATE_HZ)).astype(np.float32)
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(sound)).exp().numpy()
    (heard,) = onnxruntime.InferenceSession(pyannet(read_weights(path))).run(None, {"waveform": sound})
    np.testing.assert_allclose(heard, expected, atol=1e-5)


def test_a_pipeline_that_fails_on_the_call_is_the_error_by_name_and_left_for_a_lesser_one_else(
    track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lost:
        segmentation_batch_size = embedding_batch_size = 0

        def __call__(self, *_: object, **__: object) -> None:
            raise RuntimeError("CUDA error: device is lost")

    monkeypatch.setattr("callscope_preprocessing.diarize.load_pipeline", lambda *_: Lost())
    speech = [Span(0.5, 6.0), Span(7.0, 10.0)]
    with pytest.raises(EngineFailed, match="device is lost"):
        diarize(track, speech, DiarizeSettings(engine="pyannote"))
    found = diarize(track, speech, DiarizeSettings(networks=Path("/nowhere")))
    assert found.method == "spectra"
    assert "device is lost" in found.degraded
