"""Load for a Callscope Triton: real windows of the demo calls over HTTP, one request at a time and user.

locust -f loadtest/locustfile.py --host http://127.0.0.1:8000 --headless -u 8 -r 8 -t 30s
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr
import tritonclient.http as triton
from locust import FastHttpUser, events, task
from locust.env import Environment
from numpy.typing import NDArray
from tritonclient.utils import np_to_triton_dtype

CALLS = Path(__file__).parents[1] / "demo" / "calls"
DETECT = -1
MAX_TOKENS = 96
SPEECH_DB = -35.0

windows: list[NDArray[np.int16]] = []


def cut(path: Path, rate_hz: int, samples: int) -> list[NDArray[np.int16]]:
    """The windows of a recording in which somebody speaks, int16, shape (1, samples)."""
    sound, file_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    channels = soxr.resample(sound, file_rate_hz, rate_hz).T
    starts = range(0, channels.shape[1] - samples, samples)
    whole = [channel[start : start + samples] for channel in channels for start in starts]
    loud = [window for window in whole if 20 * np.log10(np.sqrt(np.mean(window**2)) + 1e-9) > SPEECH_DB]
    return [(np.clip(window, -1, 1) * 32767).astype(np.int16)[np.newaxis] for window in loud]


@events.init.add_listener
def read_calls(environment: Environment, **_: object) -> None:
    """Cut the demo calls into windows of the length that the server asks for."""
    try:
        client = triton.InferenceServerClient(str(environment.host).removeprefix("http://"))
        parameters = client.get_model_config("transcribe")["parameters"]
    except (triton.InferenceServerException, OSError) as error:
        sys.exit(f"No Callscope Triton answers at {environment.host} ({error}). Start one with `callscope serve`.")
    rate_hz, samples = (int(parameters[name]["string_value"]) for name in ("sample_rate_hz", "window_samples"))
    for path in sorted(CALLS.glob("*.wav")):
        windows.extend(cut(path, rate_hz, samples))


def body(window: NDArray[np.int16]) -> tuple[bytes, int]:
    """A request to `transcribe` in Triton's binary form, and the length of its JSON part."""
    tensors = {
        "audio": window,
        "language": np.array([[DETECT]], np.int32),
        "task": np.array([[DETECT]], np.int32),
        "max_tokens": np.array([[MAX_TOKENS]], np.int32),
        "temperature": np.array([[0.0]], np.float32),
    }
    inputs = []
    for name, tensor in tensors.items():
        inputs.append(triton.InferInput(name, list(tensor.shape), np_to_triton_dtype(tensor.dtype)))
        inputs[-1].set_data_from_numpy(tensor)
    outputs = [triton.InferRequestedOutput("tokens", binary_data=False)]
    return triton.InferenceServerClient.generate_request_body(inputs, outputs=outputs)


class Caller(FastHttpUser):
    """Sends windows one after another, as fast as they are answered."""

    @task
    def transcribe(self) -> None:
        """One window; an answer without tokens is a failure."""
        data, json_length = body(random.choice(windows))
        headers = {"Inference-Header-Content-Length": str(json_length)}
        path = "/v2/models/transcribe/infer"
        with self.client.post(path, data=data, headers=headers, catch_response=True) as response:
            if response.status_code == 200 and not json.loads(response.text)["outputs"]:  # noqa: PLR2004 - HTTP's own
                response.failure("the answer has no outputs")
