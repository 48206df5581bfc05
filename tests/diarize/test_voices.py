"""The two small networks with their published weights, on real voices."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callscope_preprocessing.audio import Span
from callscope_preprocessing.diarize import DiarizeSettings, diarize
from callscope_preprocessing.resample import resample_track
from callscope_preprocessing.rttm import read_rttm
from callscope_preprocessing.speakers import Diarization
from callscope_preprocessing.track import Track, track_of
from callscope_preprocessing.voices.networks import EMBEDDING, PACKAGE, SEGMENTATION, find_networks
from callscope_preprocessing.voices.weights import read_weights

torch = pytest.importorskip("torch", reason="the networks are compared in torch: run `make test-referee`")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None,
    reason=f"the weights of {PACKAGE} are not installed: run `make test-referee`",
)

RECORDINGS = Path(__file__).parents[3] / "shared/data/diarization"
LIGHT = DiarizeSettings(engine="light")


def recording(name: str) -> Track:
    soundfile = pytest.importorskip("soundfile")
    path = RECORDINGS / f"{name}.wav"
    if not path.is_file():
        pytest.skip("no recordings beside the checkout")
    pcm, rate_hz = soundfile.read(path, dtype="int16")
    return track_of(pcm, rate_hz)


def longest_by(found: Diarization, span: Span) -> str:
    shares: dict[str, float] = {}
    for turn in found.exclusive:
        common_s = min(turn.span.end_s, span.end_s) - max(turn.span.start_s, span.start_s)
        shares[turn.speaker] = shares.get(turn.speaker, 0.0) + max(common_s, 0.0)
    return max(shares, key=shares.__getitem__)


@pytest.mark.parametrize(("name", "speakers"), [("sample", 2), ("three_speakers", 3)])
def test_real_voices_are_told_apart_and_counted(name: str, speakers: int) -> None:
    track = recording(name)
    (reference,) = read_rttm(RECORDINGS / f"{name}.rttm").values()
    found = diarize(track, [Span(0.0, track.duration_s)], LIGHT)
    assert found.method == "voices"
    assert len(found.speakers) == speakers
    long = [turn for turn in reference if turn.span.duration_s > 1]
    assert len({(turn.speaker, longest_by(found, turn.span)) for turn in long}) == speakers


def test_one_voice_is_one_speaker() -> None:
    track = recording("three_speakers")
    (reference,) = read_rttm(RECORDINGS / "three_speakers.rttm").values()
    longest = max(reference, key=lambda turn: turn.span.duration_s).span
    pcm = track.read(round(longest.start_s * track.rate_hz), round(longest.end_s * track.rate_hz))
    alone = track_of(np.tile(pcm, 4), track.rate_hz)
    assert len(diarize(alone, [Span(0.0, alone.duration_s)], LIGHT).speakers) == 1


def test_a_telephone_line_gives_the_same_speakers() -> None:
    track = recording("three_speakers")
    speech = [Span(0.0, track.duration_s)]
    narrow, wide = (diarize(each, speech, LIGHT) for each in (resample_track(track, 8000), track))
    assert [turn.speaker for turn in narrow.exclusive] == [turn.speaker for turn in wide.exclusive]


def test_turns_lie_within_speech() -> None:
    track = recording("sample")
    speech = [Span(7.0, 12.0), Span(15.0, 20.0)]
    found = diarize(track, speech, LIGHT)
    assert found.turns
    for turn in found.turns:
        assert turn.span.start_s >= 6.98
        assert turn.span.end_s <= 20.02


def test_the_voice_graph_gives_what_the_published_network_gives() -> None:
    import onnxruntime

    from callscope_preprocessing.voices.campplus import campplus

    folder = find_networks(None)
    network = published(folder.parent / "camplusplus.py").CAMPPlus(embedding_size=192).eval()
    network.load_state_dict(torch.load(folder / EMBEDDING, weights_only=True))
    network.xvector.dense.nonlinear = network.xvector.dense.nonlinear.batchnorm  # the original has no ReLU here
    features = np.random.default_rng(0).normal(0, 2, (2, 180, 80)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(features)).squeeze(-1).numpy()
    session = onnxruntime.InferenceSession(campplus(read_weights(folder / EMBEDDING)))
    (vectors,) = session.run(None, {"features": features})
    np.testing.assert_allclose(vectors, expected, atol=1e-4)


def published(path: Path) -> Any:
    """The network's own code, and nothing else of its package."""
    spec = importlib.util.spec_from_file_location("published_campplus", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_weights_are_those_that_torch_reads() -> None:
    path = find_networks(None) / EMBEDDING
    expected = torch.load(path, weights_only=True)
    weights = read_weights(path)
    assert set(weights) == {name for name, value in expected.items() if value.dtype == torch.float32}
    for name, value in weights.items():
        np.testing.assert_array_equal(value, expected[name].numpy())
    assert "sincnet.conv1d.0.filterbank.low_hz_" in read_weights(find_networks(None) / SEGMENTATION)
