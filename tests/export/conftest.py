"""Random checkpoints, and what was exported from them, made once for all tests."""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from callscope_export import export_classifier, export_whisper

from .fixture_types import Checkpoints, OpenModel, Repositories
from .random_checkpoint import TinyWhisper, write_bert, write_whisper

TOKEN_LABELS = ("O", "COMMA", "PERIOD", "QUESTION")
TEXT_LABELS = ("positive", "negative", "neutral")
WHISPERS = {
    "multilingual": TinyWhisper(seed=3),
    # One language, 128 mel bins, and a width that blocks of 32 do not divide.
    "english_only": TinyWhisper(languages=(), mel_bins=128, width=48, heads=3, seed=4),
}


@pytest.fixture(scope="session", autouse=True)
def never_free_swig_types() -> Iterator[None]:
    """What SentencePiece's wrapper frees at the interpreter's end it reads, and by then that may be gone: a crash."""
    yield
    if runtime := sys.modules.get("swig_runtime_data4"):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(runtime.type_pointer_capsule))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    """Find a checkpoint: "multilingual", "english_only", "punctuate" or "sentiment"."""
    root = tmp_path_factory.mktemp("checkpoints")

    def write(name: str) -> Path:
        folder = root / name
        if not folder.is_dir():
            folder.mkdir()
            if name in WHISPERS:
                write_whisper(folder, WHISPERS[name])
            else:
                per_token = name == "punctuate"
                write_bert(folder, labels=TOKEN_LABELS if per_token else TEXT_LABELS, per_token=per_token)
        return folder

    return write


@pytest.fixture(scope="session")
def repository(checkpoint: Checkpoints, tmp_path_factory: pytest.TempPathFactory) -> Repositories:
    """Find what was exported from a checkpoint in a precision, for the profile that goes with it."""
    root = tmp_path_factory.mktemp("repositories")

    def export(name: str, precision: str = "fp32") -> Path:
        folder = root / f"{name}-{precision}"
        profile = "gpu" if precision == "fp16" else "cpu"
        if folder.is_dir():
            return folder
        if name in WHISPERS:
            export_whisper(checkpoint(name), folder, profile=profile, precision=precision, parity="off")
        else:
            classifier = "punctuate" if name == "punctuate" else "sentiment"
            options = {"profile": profile, "precision": precision}
            export_classifier(checkpoint(name), folder, name=classifier, parity="off", **options)
        return folder

    return export


@pytest.fixture(scope="session")
def open_model(repository: Repositories) -> OpenModel:
    """Open a model of a repository: open_model("multilingual", "whisper_decoder", "int8")."""

    def open_graph(name: str, model: str, precision: str = "fp32") -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(repository(name, precision) / model / "1" / "model.onnx", options)

    return open_graph


@pytest.fixture
def rng() -> np.random.Generator:
    """Numbers that are the same in every run."""
    return np.random.default_rng(7)
