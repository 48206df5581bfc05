"""The exported graphs on a GPU: speed by batch, latency of a short segment, what the loop copies, memory.

    python -m bench.gpu --output gpu.json          # turbo and large-v3; on a machine without a GPU tiny, to try it out

Weights are random and every window gives the tokens it is asked for. The graphs stay on the device: what one gives, the
next takes from there. Needs onnxruntime-gpu, torch and transformers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no types

from bench.checkpoints import SHAPES, write_checkpoint
from bench.engines import LANGUAGE, SCALE, Windows, Work, options
from bench.machine import describe_machine
from bench.placement import copied_in_a_step
from bench.sound import DEMO_CALLS, windows
from callscope_export import export_whisper

CUDA = "CUDAExecutionProvider"
BATCHES = (1, 8, 16, 32, 64)
PRECISIONS = ("fp16", "w8a16")
WINDOW_S, SEGMENT_TOKENS = 30, 32
SCALAR_BYTES = 8
GOALS = {"latency_p95_ms": ("turbo", 100.0), "x_real_time": ("large-v3", 1500.0)}


class OnDevice:
    """The three graphs of a transcription, what passes between them kept on the device."""

    def __init__(self, work: Work, device: str) -> None:
        self._work, self._device = work, device
        self._sessions = [self._open(name) for name in ("log_mel", "whisper_encoder", "whisper_decoder")]

    def run(self, audio: Windows, tokens: int) -> np.ndarray[Any, Any]:
        """Transcribe windows, shape (rows, samples), into tokens, shape (rows, tokens)."""
        given: Mapping[str, Any] = {"audio": ort.OrtValue.ortvalue_from_numpy(audio)}
        chosen = {**options(self._work, len(audio)), "max_tokens": np.full((len(audio), 1), tokens, np.int32)}
        for session, last in zip(self._sessions, (False, False, True), strict=True):
            binding = session.io_binding()
            for node in session.get_inputs():
                value = given.get(node.name)
                binding.bind_ortvalue_input(node.name, value or ort.OrtValue.ortvalue_from_numpy(chosen[node.name]))
            names = [node.name for node in session.get_outputs()]
            for name in names:
                binding.bind_output(name, "cpu" if last else self._device)
            session.run_with_iobinding(binding)
            given = dict(zip(names, binding.get_outputs(), strict=True))
        return np.asarray(given["tokens"].numpy()[:, :tokens])

    def _open(self, model: str) -> Any:  # noqa: ANN401  ONNX Runtime ships no types
        (graph,) = (self._work.repository / model).glob("*/model.onnx")
        providers = [CUDA] if self._device == "cuda" else []
        return ort.InferenceSession(graph, providers=[*providers, "CPUExecutionProvider"])


def measure(work: Work, sound: Windows, device: str, batches: tuple[int, ...]) -> dict[str, Any]:
    """Measure one checkpoint in one precision."""
    engine = OnDevice(work, device)
    found: dict[str, Any] = {"x_real_time": {}}
    for batch in batches:
        audio = np.resize(sound, (batch, sound.shape[1]))
        engine.run(audio, work.tokens)
        wall_s = median(_times(lambda audio=audio: engine.run(audio, work.tokens), 3))
        found["x_real_time"][str(batch)] = batch * WINDOW_S / wall_s
    segment_ms = [1e3 * each for each in _times(lambda: engine.run(sound[:1], SEGMENT_TOKENS), 20)]
    found |= {"latency_p50_ms": median(segment_ms), "latency_p95_ms": quantiles(segment_ms, n=20)[-1]}
    return found | {"memory_mib": _memory_mib(), "copied": copied_in_a_step(work, device)}


def measure_transformers(work: Work, sound: Windows, device: str, batch: int) -> dict[str, Any]:
    """Measure transformers on the same, in half precision on a GPU."""
    import torch  # noqa: PLC0415  the graphs do not need it
    import transformers  # noqa: PLC0415

    transformers.logging.set_verbosity_error()
    dtype = torch.float16 if device == "cuda" else torch.float32
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(work.checkpoint)
    kind = transformers.WhisperForConditionalGeneration
    model: Any = kind.from_pretrained(work.checkpoint, dtype=dtype, attn_implementation="sdpa").to(device).eval()
    audio = np.resize(sound, (batch, sound.shape[1]))

    def transcribe() -> None:
        mel = extractor(list(audio / SCALE), sampling_rate=16_000, return_tensors="pt").input_features
        with torch.inference_mode():
            model.generate(mel.to(device, dtype), language=LANGUAGE, max_new_tokens=work.tokens)

    transcribe()
    return {"x_real_time": {str(batch): batch * WINDOW_S / median(_times(transcribe, 3))}}


def table(shapes: Mapping[str, Mapping[str, Any]]) -> str:
    """Render what was found in Markdown."""
    rows = ["| checkpoint | precision | x real time, by batch | 10 s segment, p50 / p95 | copied in a step | memory |"]
    rows.append("|---|---|---|---|---|---|")
    for shape, each in shapes.items():
        for name, found in each.items():
            speeds = ", ".join(f"{batch}: {speed:.0f}" for batch, speed in found["x_real_time"].items())
            if "copied" not in found:
                rows.append(f"| {shape} | {name} | {speeds} | | | |")
                continue
            latency = f"{found['latency_p50_ms']:.0f} / {found['latency_p95_ms']:.0f} ms"
            copied = f"{found['copied']['bytes']:.0f} bytes; on the CPU: {', '.join(found['copied']['on_cpu']) or '-'}"
            rows.append(f"| {shape} | {name} | {speeds} | {latency} | {copied} | {found['memory_mib']:.0f} MiB |")
    return "\n".join(rows)


def _times(work: Any, count: int) -> list[float]:  # noqa: ANN401  any callable
    found = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found


def _memory_mib() -> float:
    """What is taken of the GPU's memory; 0 without one."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0])
    except (OSError, subprocess.CalledProcessError):
        return 0.0


def main() -> None:
    """Command line."""
    device = "cuda" if CUDA in ort.get_available_providers() else "cpu"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, default=DEMO_CALLS, help="a folder of recordings [the demo calls]")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="repeat it for more [turbo, large-v3]")
    parser.add_argument("--tokens", type=int, default=80, help="that every window gives")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="where the figures go")
    chosen = parser.parse_args()
    shapes = chosen.shape or (["turbo", "large-v3"] if device == "cuda" else ["tiny"])
    batches = BATCHES if device == "cuda" else BATCHES[:2]
    if device == "cpu":
        print("ONNX Runtime sees no GPU here: this tries the script out on the CPU, and its figures say nothing.")
    found = {shape: _shape(shape, windows(chosen.audio, 8), device, batches, chosen.tokens) for shape in shapes}
    report = {"machine": describe_machine(), "device": device, "goals": GOALS, "shapes": found}
    chosen.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(found))
    worst = max(each["copied"]["bytes"] for shape in found.values() for each in shape.values() if "copied" in each)
    if worst > SCALAR_BYTES:
        raise SystemExit(f"A step of the loop copies {worst:.0f} bytes between host and device. Look for MemcpyToHost.")


def _shape(shape: str, sound: Windows, device: str, batches: tuple[int, ...], tokens: int) -> dict[str, Any]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="callscope-gpu-") as place:
        folder = Path(place)
        checkpoint = write_checkpoint(folder / "checkpoint", SHAPES[shape], endless=True, half=True)
        for precision in PRECISIONS:
            repository = folder / precision
            export_whisper(checkpoint, repository, profile="gpu", precision=precision, parity="off", progress=print)
            work = Work(checkpoint, repository, folder / "none", tokens, threads=0)
            found[precision] = measure(work, sound, device, batches)
        found["transformers"] = measure_transformers(work, sound, device, batches[len(batches) // 2])
    return found


if __name__ == "__main__":
    main()
