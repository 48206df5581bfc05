"""A recording is claimed by one process at a time, and by none that is gone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callscope.store.claims import Claims, NoClaims, open_claims
from callscope.store.sql import Store

from .conftest import PostgresServer

ONE, OTHER = (hashlib.sha256(text).hexdigest() for text in (b"one", b"other"))
TAKE = """
import sys
from callscope.store.claims import open_claims
claims = open_claims(sys.argv[1])
print([claims.take(each) for each in sys.argv[2:]], flush=True)
sys.stdin.read()
"""


@contextmanager
def another(url: str, *wanted: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that claims recordings and keeps them; what it was told."""
    command = [sys.executable, "-c", TAKE, url, *wanted]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def claims(url: str) -> Iterator[Claims]:
    opened = open_claims(url)
    yield opened
    opened.close()


def taken_in_time(claims: Claims, sha256: str) -> bool:
    for _ in range(100):
        if claims.take(sha256):
            return True
        time.sleep(0.1)
    return False


def test_what_one_process_has_no_other_gets_until_it_is_let_go(url: str, claims: Claims) -> None:
    assert claims.take(ONE)
    assert claims.take(ONE)
    with another(url, ONE, OTHER) as (_, told):
        assert told == "[False, True]"
        assert not claims.take(OTHER)
    claims.free(ONE)
    claims.free(ONE)
    with another(url, ONE) as (_, told):
        assert told == "[True]"


def test_a_process_that_is_killed_has_nothing_any_more(url: str, claims: Claims) -> None:
    with another(url, ONE) as (process, told):
        assert told == "[True]"
        assert not claims.take(ONE)
        process.kill()
        process.wait()
        assert taken_in_time(claims, ONE)


def test_closing_lets_go_of_all(url: str) -> None:
    first = open_claims(url)
    assert first.take(ONE)
    first.close()
    with another(url, ONE) as (_, told):
        assert told == "[True]"


def test_claims_are_no_part_of_what_is_stored(store: Store, claims: Claims) -> None:
    assert claims.take(ONE)
    assert store.known([ONE]) == set()
    assert store.status().calls == 0


def test_a_database_that_starts_again_finds_its_claims(postgres: PostgresServer) -> None:
    claims = open_claims(postgres.url)
    assert claims.take(ONE)
    postgres.stop()
    postgres.start()
    assert claims.take(OTHER)
    with another(postgres.url, ONE, OTHER) as (_, told):
        assert told == "[False, False]"
    claims.close()


def test_a_store_in_memory_is_shared_with_nobody(tmp_path: Path) -> None:
    claims = open_claims("sqlite:///:memory:")
    assert isinstance(claims, NoClaims)
    assert claims.take(ONE)
    claims.free(ONE)
    claims.close()
    assert list(tmp_path.iterdir()) == []
