"""The file of results: what stays, what goes, several processes, and what a disk can do to it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from callscope.cache.results import NAME, Results
from callscope.errors import CacheUnusable

DAY_S = 86400.0
ENTRY_BYTES = 4096 + 512
"""What a small result counts for: a page and its row."""


def opened(folder: Path, entries: int = 100, age_s: float = DAY_S) -> Results:
    return Results(folder, max_bytes=entries * ENTRY_BYTES, max_age_s=age_s)


def kept(results: Results, keys: str) -> str:
    """Those of the keys that have a result."""
    return "".join(key for key in keys if results.get(key) is not None)


def test_what_was_put_in_comes_out_and_counts_its_uses(tmp_path: Path) -> None:
    results = opened(tmp_path)
    assert results.get("a") is None
    assert results.put("a", "1", b"first")
    assert results.put("a", "1", b"second")
    assert (results.get("a"), results.get("a")) == (b"second", b"second")
    status = results.status()
    assert (status.entries, status.bytes, status.hits) == (1, ENTRY_BYTES, 2)
    assert status.oldest_s == pytest.approx(time.time(), abs=3600)


def test_another_process_reads_it_when_this_one_has_not_closed_it(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.put("a", "1", b"x")
    assert second.get("a") == b"x"


def test_what_was_not_used_for_the_longest_time_goes_first(tmp_path: Path) -> None:
    results = opened(tmp_path, entries=4)
    for key in "abcd":
        results.put(key, key, b"x")
    assert results.get("a")
    results.put("e", "e", b"x")
    assert kept(results, "abcde") == "ade"
    assert results.status().bytes <= 4 * ENTRY_BYTES


def test_the_newest_stays_though_it_is_nearly_as_large_as_the_limit(tmp_path: Path) -> None:
    results = opened(tmp_path, entries=4)
    results.put("a", "1", b"x")
    assert results.put("b", "1", b"x" * (4 * 4096))
    assert kept(results, "ab") == "b"


def test_a_result_larger_than_the_limit_is_not_kept_and_nothing_makes_room_for_it(tmp_path: Path) -> None:
    results = opened(tmp_path, entries=2)
    results.put("a", "1", b"x")
    assert not results.put("b", "1", b"x" * 3 * ENTRY_BYTES)
    assert kept(results, "ab") == "a"


def test_the_file_does_not_outgrow_the_limit(tmp_path: Path) -> None:
    results = Results(tmp_path, max_bytes=1_000_000, max_age_s=DAY_S)
    for number in range(400):
        results.put(f"{number:064x}", f"{number:064x}", os.urandom(1000 + 37 * number))
    results.close()
    assert 0.5e6 < (tmp_path / NAME).stat().st_size < 1.1e6


def test_what_is_too_old_is_not_used_and_goes(tmp_path: Path) -> None:
    opened(tmp_path).put("a", "1", b"x")
    young = opened(tmp_path, age_s=1e-9)
    assert young.get("a") is None
    young.put("b", "1", b"x")
    assert opened(tmp_path).status().entries == 1


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        results = opened(tmp_path / "new" / "cache")
        results.put("a", "1", b"x")
    finally:
        os.umask(before)
    files = list((tmp_path / "new" / "cache").iterdir())
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "new" / "cache").stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / NAME).touch(0o644)
    opened(tmp_path).put("a", "1", b"x")
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_what_is_thrown_away_is_nowhere_in_the_files(tmp_path: Path) -> None:
    said, stays = b"what a customer said" * 30, b"what another one said" * 30
    results = opened(tmp_path)
    for number in range(20):
        results.put(f"{number}", "1", said)
    results.put("other", "2", stays)
    assert results.forget_recordings(["1", "3"]) == 20
    assert b"".join(file.read_bytes() for file in tmp_path.iterdir()).count(b"what a customer said") == 0
    assert results.get("other") == stays
    assert results.clear(time.time() + 1) == 1
    assert b"another one" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_only_what_is_older_than_asked_for_is_cleared(tmp_path: Path) -> None:
    results = opened(tmp_path)
    results.put("a", "1", b"x")
    assert (results.clear(time.time() - 60), results.clear(time.time() + 60)) == (0, 1)


def _put_many(folder: Path, name: str, count: int, entries: int = 60) -> None:
    results = opened(folder, entries=entries)
    for number in range(count):
        results.put(f"{name}-{number}", name, f"{name}-{number}".encode() * 50)
        results.get(f"{name}-{number - 1}")


def _sound(folder: Path) -> bool:
    with sqlite3.connect(folder / NAME) as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return bool(answer == "ok")


def test_several_processes_write_at_once_and_nothing_is_lost_or_mixed_up(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")
    writers = [spawned.Process(target=_put_many, args=(tmp_path, name, 15)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    results = opened(tmp_path)
    for name in "abc":
        assert all(results.get(f"{name}-{n}") == f"{name}-{n}".encode() * 50 for n in range(15))
    assert _sound(tmp_path)


def test_a_process_that_is_killed_while_it_writes_leaves_a_file_that_is_whole(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")
    results = opened(tmp_path, entries=1_000_000)
    for name in "ab":
        writer = spawned.Process(target=_put_many, args=(tmp_path, name, 1_000_000, 1_000_000))
        writer.start()
        while results.get(f"{name}-3") is None:
            assert writer.is_alive()
            time.sleep(0.01)
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
    assert results.put("c", "1", b"x")
    assert results.get("c") == b"x"
    assert _sound(tmp_path)


def _fill(folder: Path) -> None:
    """Until a file may not grow: what a full disk says, too, is an error of writing."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    results = Results(folder, max_bytes=1 << 30, max_age_s=DAY_S)
    results.put("a", "1", b"x" * 1000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
    with pytest.raises(CacheUnusable, match=r"cannot be used .* --cache"):
        for number in range(100):
            results.put(f"{number}", "1", os.urandom(30_000))
    assert results.get("a") == b"x" * 1000


def test_a_full_disk_is_said_and_what_was_kept_before_is_still_there(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_fill, args=(tmp_path,))
    writer.start()
    writer.join()
    assert writer.exitcode == 0
    assert opened(tmp_path).get("a") == b"x" * 1000
    assert _sound(tmp_path)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_said_and_can_be_removed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    results = opened(tmp_path)
    with pytest.raises(CacheUnusable, match="callscope cache clear"):
        results.get("a")
    results.remove()
    assert results.put("a", "1", b"x")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheUnusable, match="cannot be used"):
        opened(tmp_path / "file" / "cache").get("a")
