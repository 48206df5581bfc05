"""The types of what conftest.py offers, by the names that tests give them."""

from collections.abc import Callable
from pathlib import Path

import onnxruntime

Checkpoints = Callable[[str], Path]
Repositories = Callable[..., Path]
OpenModel = Callable[..., onnxruntime.InferenceSession]
