"""RNNoise, the shared library that pyrnnoise carries, called without pyrnnoise's own imports (PyAV, matplotlib).

It works on frames of 10 ms at 48 kHz, in floats of the size of 16-bit integers, and lets other threads run meanwhile.
https://github.com/xiph/rnnoise, include/rnnoise.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
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


@cache
def _library() -> ctypes.CDLL:
    path = file_of_package(PACKAGES, LIBRARY, purpose="Denoising", extra="denoise")
    library = ctypes.CDLL(str(path))
    library.rnnoise_create.argtypes, library.rnnoise_create.restype = [ctypes.c_void_p], ctypes.c_void_p
    library.rnnoise_destroy.argtypes, library.rnnoise_destroy.restype = [ctypes.c_void_p], None
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3  # addresses as integers: no object a frame
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library


def require_rnnoise() -> None:
    """Load the library.

    Raises:
        PackageMissing: it is not installed.
    """
    _library()


def suppress_noise(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Take the noise out of sound as it comes, from silence on.

    Args:
        blocks: at 48 kHz, in [-32768, 32767], shape (samples,) each, of any length.

    Yields:
        Blocks that are together as long as the sound, and in time with it: the delay is taken back.

    Raises:
        PackageMissing: RNNoise is not installed.
    """
    library = _library()
    state = library.rnnoise_create(None)
    rest, heard, early = np.zeros(0, np.float32), 0, DELAY
    try:
        for block in blocks:
            heard += len(block)
            waiting = np.concatenate((rest, block))
            whole = len(waiting) // FRAME * FRAME
            made, rest = _process(library, state, waiting[:whole]), waiting[whole:]
            early, made = max(0, early - len(made)), made[early:]
            heard -= len(made)
            yield made
        late = np.pad(rest, (0, DELAY + -(len(rest) + DELAY) % FRAME))
        yield _process(library, state, late)[early:][:heard]
    finally:
        library.rnnoise_destroy(state)


def _process(library: ctypes.CDLL, state: int, samples: Floats) -> Floats:
    """Whole frames, 20 ms late."""
    heard, made = np.ascontiguousarray(samples, np.float32), np.empty(len(samples), np.float32)
    source, target, process = heard.ctypes.data, made.ctypes.data, library.rnnoise_process_frame
    for place in range(0, heard.nbytes, FRAME * heard.itemsize):
        process(state, target + place, source + place)
    return made
