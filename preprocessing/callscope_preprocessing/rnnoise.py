"""RNNoise, the shared library that pyrnnoise carries, called without pyrnnoise's own imports (PyAV, matplotlib).

It works on frames of 10 ms at 48 kHz, in floats of the size of 16-bit integers, and lets other threads run meanwhile.
https://github.com/xiph/rnnoise, include/rnnoise.h.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from numpy.typing import NDArray

from callscope_preprocessing.extras import file_of_package

RATE_HZ = 48_000
FRAME = 480
DELAY = 960
"""Samples that the output lags: a frame of look-ahead, and one of overlap."""
PACKAGES = ("pyrnnoise",)
LIBRARY = "librnnoise.so"

Floats = NDArray[np.float32]
_FLOATS = ctypes.POINTER(ctypes.c_float)


@cache
def _library() -> ctypes.CDLL:
    path = file_of_package(PACKAGES, LIBRARY, purpose="Denoising", extra="denoise")
    library = ctypes.CDLL(str(path))
    library.rnnoise_create.argtypes, library.rnnoise_create.restype = [ctypes.c_void_p], ctypes.c_void_p
    library.rnnoise_destroy.argtypes, library.rnnoise_destroy.restype = [ctypes.c_void_p], None
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, _FLOATS, _FLOATS]
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library


def require_rnnoise() -> None:
    """Load the library.

    Raises:
        PackageMissing: it is not installed.
    """
    _library()


def suppress_noise(samples: Floats) -> Floats:
    """Take the noise out of a stretch of sound, from silence on.

    Args:
        samples: at 48 kHz, in [-32768, 32767], shape (samples,), whole frames of 480.

    Returns:
        The same shape, 20 ms late.

    Raises:
        PackageMissing: RNNoise is not installed.
        ValueError: the samples are no whole frames.
    """
    if len(samples) % FRAME:
        raise ValueError(f"{len(samples)} samples are no whole frames of {FRAME}. Add zeros.")
    library = _library()
    heard, made = np.ascontiguousarray(samples, np.float32), np.empty(len(samples), np.float32)
    state = library.rnnoise_create(None)
    try:
        for place in range(0, heard.nbytes, FRAME * heard.itemsize):
            source, target = (ctypes.cast(array.ctypes.data + place, _FLOATS) for array in (heard, made))
            library.rnnoise_process_frame(state, target, source)
    finally:
        library.rnnoise_destroy(state)
    return made
