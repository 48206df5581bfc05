"""Two hundred damaged recordings of every format: each is sound, or an error in two sentences."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .damaged_files import verdicts

FILES = 200


def test_damage_never_crashes_hangs_or_swells(tmp_path: Path) -> None:
    found = list(verdicts(0, FILES, tmp_path))
    assert [verdict for verdict in found if verdict.is_bad] == []
    kinds = Counter(verdict.kind for verdict in found)
    assert kinds["sound"] >= FILES / 5, "damage so heavy that nothing decodes proves little"
    assert kinds["AudioUnrecognised"] + kinds["AudioTruncated"] + kinds["AudioCorrupt"] >= FILES / 5
