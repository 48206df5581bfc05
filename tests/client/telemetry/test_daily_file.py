"""A log file that several processes write: every line whole, a day a file, and no failure that matters."""

from __future__ import annotations

import logging
import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from callscope.telemetry.daily_file import DailyFile

DAY_S = 24 * 3600
WRITERS, LINES = 4, 300


@contextmanager
def opened(file: Path, days: int = 30) -> Iterator[logging.Logger]:
    """A logger that writes to nothing but the file."""
    handler = DailyFile(file, days)
    logger = logging.Logger("daily")
    logger.addHandler(handler)
    yield logger
    handler.close()


def written_days_ago(file: Path, days: float) -> str:
    """Make the file's last line so old; the day's name."""
    moment_s = time.time() - days * DAY_S
    os.utime(file, (moment_s, moment_s))
    return date.fromtimestamp(moment_s).isoformat()


def test_yesterdays_log_gets_its_date_and_todays_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with opened(file) as logger:
        logger.info("old")
        yesterday = written_days_ago(file, 1)
        logger.info("new")
        logger.info("newer")
    assert file.read_text() == "new\nnewer\n"
    assert (tmp_path / f"log.{yesterday}").read_text() == "old\n"


def test_a_log_of_an_earlier_day_is_put_aside_by_who_comes_next(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("from a run of last week\n")
    day = written_days_ago(file, 7)
    with opened(file) as logger:
        logger.info("now")
    assert file.read_text() == "now\n"
    assert (tmp_path / f"log.{day}").is_file()


def test_days_beyond_those_to_keep_are_removed_and_other_files_stay(tmp_path: Path) -> None:
    file, kept, gone = tmp_path / "log", date.today() - timedelta(days=3), date.today() - timedelta(days=4)
    for name in (f"log.{kept}", f"log.{gone}", "log.txt", f"other.{gone}"):
        (tmp_path / name).write_text("x\n")
    with opened(file, days=3) as logger:
        logger.info("old")
        yesterday = written_days_ago(file, 1)
        logger.info("new")
    left = {one.name for one in tmp_path.iterdir()}
    assert left == {"log", f"log.{yesterday}", f"log.{kept}", "log.txt", f"other.{gone}"}


def _write(file: Path, writer: int) -> None:
    with opened(file) as logger:
        for number in range(LINES):
            logger.info("%d %d %s", writer, number, "x" * 200)


def test_lines_of_several_processes_are_whole_and_none_is_lost_when_the_day_ends(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("old\n")
    day = written_days_ago(file, 1)
    with ProcessPoolExecutor(WRITERS) as processes:
        list(processes.map(_write, [file] * WRITERS, range(WRITERS)))
    assert (tmp_path / f"log.{day}").read_text().splitlines()[0] == "old"
    found = [line.split() for one in tmp_path.iterdir() for line in one.read_text().splitlines() if line != "old"]
    assert sorted((int(writer), int(number)) for writer, number, _ in found) == [
        (writer, number) for writer in range(WRITERS) for number in range(LINES)
    ]
    assert {filler for *_, filler in found} == {"x" * 200}


def test_a_log_that_another_program_has_moved_is_begun_again(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with opened(file) as logger:
        logger.info("one")
        file.rename(tmp_path / "moved")
        logger.info("two")
    assert (tmp_path / "moved").read_text() == "one\n"
    assert file.read_text() == "two\n"


def test_a_full_disk_is_told_once_and_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with opened(Path("/dev/full")) as logger:
        logger.info("one")
        logger.info("two")
    said = capsys.readouterr().err
    assert said == "The log /dev/full cannot be written (No space left on device). The work goes on without it.\n"


def test_a_line_that_was_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = tmp_path / "log"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(file) as logger:
        logger.info("whole")
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
            logger.info("cut in the middle")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        logger.info("whole again")
    assert file.read_text().splitlines() == ["whole", "cut ", "whole again"]


def test_only_its_owner_and_their_group_may_read_it(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as logger:
        logger.info("one")
    assert (tmp_path / "log").stat().st_mode & 0o007 == 0
