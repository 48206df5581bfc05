"""The precisions that an export can choose from, by name."""

import numpy as np

from .errors import ProfileInvalid
from .int8 import Int8Precision
from .precision import FloatPrecision, Precision
from .weight_only import WeightOnlyPrecision

PRECISIONS: dict[str, Precision] = {
    "fp32": FloatPrecision("fp32", "FP32", np.float32),
    "fp16": FloatPrecision("fp16", "FP16", np.float16),
    "int8": Int8Precision(),
    "w8a16": WeightOnlyPrecision("w8a16", "FP16", np.float16),
}
ENCODERS: dict[str, Precision] = {"int8": Int8Precision(flat=True), "w8a16": PRECISIONS["fp16"]}
"""Where the encoder is stored otherwise: it has whole windows to multiply, and is not bound by reading weights."""


def precision_named(name: str) -> Precision:
    """Look up a precision.

    Raises:
        ProfileInvalid: There is none of this name.
    """
    if name not in PRECISIONS:
        raise ProfileInvalid(f"There is no precision {name!r}. Choose one of {', '.join(PRECISIONS)}.")
    return PRECISIONS[name]


def encoder_precision(precision: Precision) -> Precision:
    """Tell how the encoder is stored where the rest is stored like this."""
    return ENCODERS.get(precision.name, precision)
