"""Published weights in, a Triton model repository out.

    checkpoint -> graphs -> fp32 | fp16 | int8 -> config.pbtxt -> model_repository

Graphs are written straight from safetensors, without torch or transformers; text classifiers other than BERT are traced
by optimum, which needs both.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime from 1.29 on tells its maker what models are loaded

from .errors import ExportError
from .export import export_classifier, export_whisper
from .plan import ExportReport
from .publish import PublishedModel, roll_back
from .recipe import export_all

__all__ = [
    "ExportError",
    "ExportReport",
    "PublishedModel",
    "export_all",
    "export_classifier",
    "export_whisper",
    "roll_back",
]
