"""The graphs against transformers at Whisper's real dimensions: a few of the windows of `make bench-parity`."""

import pytest

REASON = "compares with transformers, which the extra `referee` installs"
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("transformers", reason=REASON)

from bench.parity import measure  # noqa: E402  it needs what is looked for above
from bench.sound import DEMO_CALLS, recording  # noqa: E402  as above

WINDOWS, TOKENS = 6, 8

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("shape", ["tiny.en", "distil-base"])
def test_every_token_of_recorded_windows_is_transformers_own(shape: str) -> None:
    found = measure(shape, recording(DEMO_CALLS), WINDOWS, TOKENS)
    assert (found.windows, found.tokens) == (WINDOWS, WINDOWS * TOKENS)
    assert found.gaps == {}
    assert found.failures() == []
