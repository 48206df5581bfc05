from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from callscope_preprocessing.pcm import to_int16


def test_every_16_bit_value_comes_back() -> None:
    every = np.arange(-32768, 32768).astype(np.int16)
    assert (to_int16(every.astype(np.float32) / 32768) == every).all()


def test_sound_outside_full_scale_saturates_and_never_wraps() -> None:
    samples = np.array([1.0, 1.0001, 2.0, 1e30, -1.0, -1.0001, -2.0, -1e30], np.float32)
    assert to_int16(samples).tolist() == [32767] * 4 + [-32768] * 4


@given(hnp.arrays(np.float32, st.integers(0, 50), elements=st.floats(-4, 4, width=32)))
def test_the_order_of_samples_is_kept(samples: np.ndarray) -> None:
    order = np.argsort(samples, kind="stable")
    converted = to_int16(samples)
    assert converted.dtype == np.int16
    assert (np.diff(converted[order].astype(np.int32)) >= 0).all()


def test_the_input_is_left_alone() -> None:
    samples = np.array([[0.5, -2.0]], np.float32)
    to_int16(samples)
    assert samples.tolist() == [[0.5, -2.0]]
