"""`callscope batch s3://…`: recordings of a bucket, of which nothing stays on this machine, however it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from tests.bucket_server import SECRET, BucketServer, bucket_server, way_to

from callscope.store.query import Query
from callscope.store.sql import open_store

from .running import Cli, left_after, started

LENGTH_S = 4


@pytest.fixture(scope="module")
def storage() -> Iterator[BucketServer]:
    with bucket_server() as server:
        yield server


@pytest.fixture
def pieces(demo_calls: Path, tmp_path: Path) -> list[bytes]:
    """Short recordings, each of other content."""
    sound, rate_hz = soundfile.read(demo_calls / "en.wav", dtype="int16")
    made = []
    for number in range(3):
        file = tmp_path / "piece.wav"
        soundfile.write(file, sound[number * rate_hz : (number + LENGTH_S) * rate_hz], rate_hz)
        made.append(file.read_bytes())
    return made


def sources(database: Path) -> list[str]:
    store = open_store(str(database))
    found = sorted(found.source for found in store.find(Query()))
    store.close()
    return found


def test_a_bucket_and_signed_addresses_have_results_that_name_them_without_secrets(
    callscope: Cli, server: tuple[str, str], storage: BucketServer, pieces: list[bytes], tmp_path: Path
) -> None:
    client = storage.fill("calls", {"2026/a.wav": pieces[0], "2026/b.wav": pieces[1], "2026/broken.wav": b"text"})
    client.put_object(Bucket="calls", Key="c.wav", Body=pieces[2])
    signed = client.generate_presigned_url("get_object", Params={"Bucket": "calls", "Key": "c.wav"})
    (tmp_path / "here" / "list.csv").write_text(f'path,team\n"{signed}",A\ns3://calls/gone.wav,B\n', encoding="utf-8")
    flags = ("--store", tmp_path / "calls.db", "--log-level", "info", *server)
    ended = callscope("batch", "s3://calls/2026/", "list.csv", *flags, env=storage.environment)
    assert ended.code == 3, ended.stderr
    assert "3 analysed, 0 had a result, 2 set aside." in ended.stderr
    place = f"{storage.endpoint}/calls/c.wav"
    assert sources(tmp_path / "calls.db") == sorted([place, "s3://calls/2026/a.wav", "s3://calls/2026/b.wav"])
    aside = (tmp_path / "here" / "callscope-aside.jsonl").read_text("utf-8")
    assert "s3://calls/2026/broken.wav holds text" in aside
    assert "There is no s3://calls/gone.wav" in aside
    written = b"".join(file.read_bytes() for file in tmp_path.glob("calls.db*")) + (aside + ended.stderr).encode()
    assert [secret for secret in (SECRET, "Signature", "X-Amz") if secret.encode() in written] == []


def test_what_a_bucket_lists_as_it_was_is_not_fetched_again(
    callscope: Cli, server: tuple[str, str], storage: BucketServer, pieces: list[bytes], tmp_path: Path
) -> None:
    client = storage.fill("again", {"a.wav": pieces[0], "b.wav": pieces[1]})
    with way_to(storage) as (way, counted):
        command = ("batch", "s3://again/**/*.wav", "--store", tmp_path / "calls.db", *server)
        assert "2 analysed" in callscope(*command, env=counted.environment).stderr
        assert way.passed > len(pieces[0]) + len(pieces[1])
        client.put_object(Bucket="again", Key="b.wav", Body=pieces[2])
        way.passed = 0
        ended = callscope(*command, env=counted.environment)
    assert ended.code == 0, ended.stderr
    assert "1 analysed, 1 had a result, 0 set aside." in ended.stderr
    assert len(pieces[2]) < way.passed < len(pieces[2]) + len(pieces[0])
    assert len(sources(tmp_path / "calls.db")) == 3


@pytest.mark.parametrize(
    ("place", "code", "sentence"),
    [
        ("s3://nowhere-at-all/", 3, "There is no s3://nowhere-at-all/"),
        ("magic://a/b", 2, "Nothing can be fetched from magic://a/b"),
    ],
)
def test_a_bucket_that_cannot_be_listed_is_one_sentence(
    callscope: Cli, storage: BucketServer, place: str, code: int, sentence: str
) -> None:
    callscope("batch", place, env=storage.environment).failed_with(code, sentence)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_batch_that_is_ended_while_it_fetches_leaves_nothing(
    server: tuple[str, str], storage: BucketServer, pieces: list[bytes], tmp_path: Path, number: signal.Signals
) -> None:
    bucket, temporary = f"ended-{number.name.lower()}", tmp_path / "temporary"
    temporary.mkdir()
    storage.fill(bucket, {"a.wav": pieces[0] * 100})
    with way_to(storage) as (way, slow):
        way.after_bytes, way.stalls, way.cuts = 1 << 20, True, 1000
        environment = {**slow.environment, "TMPDIR": str(temporary)}
        arguments = ("batch", f"s3://{bucket}/", "--store", tmp_path / "calls.db", *server)
        with started(*arguments, cwd=tmp_path, env=environment) as (process, mark):
            for _ in range(600):
                if way.passed > way.after_bytes or process.poll() is not None:
                    break
                time.sleep(0.1)
            process.send_signal(number)
            _, stderr = process.communicate(timeout=120)
            assert process.returncode == (143 if number == signal.SIGTERM else -signal.SIGKILL), stderr
            assert "Traceback" not in stderr
            assert left_after(mark, 2.0) == ()
    assert list(temporary.iterdir()) == []
