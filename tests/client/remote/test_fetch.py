"""Recordings of a storage are had whole or not at all, and nothing of them stays."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress
from pathlib import Path

import fsspec
import pytest
from tests.bucket_server import SECRET, BucketServer, way_to

from callscope.errors import ExtraMissing, RemoteDenied, RemoteError, RemoteRefused, RemoteUnreachable, SettingsInvalid
from callscope.remote import fetch
from callscope.remote.fetch import fetched
from callscope_preprocessing.errors import AudioTooLarge
from callscope_preprocessing.limits import Limits

pytestmark = pytest.mark.asyncio
LIMITS = Limits(bytes=20 << 20)
DATA = random.Random(7).randbytes(6 << 20)


async def read(address: str, limits: Limits = LIMITS, patience_s: float = 30.0) -> bytes:
    async with fetched(address, limits, patience_s) as here:
        return here.path.read_bytes()


def in_folder(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def use(server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    fsspec.get_filesystem_class("s3").clear_instance_cache()


async def test_an_object_is_had_whole_and_leaves_nothing(
    storage: BucketServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.fill(bucket, {"a b/통화#1?.wav": DATA})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with fetched(f"s3://{bucket}/a b/통화#1?.wav", LIMITS, 30.0) as here:
        assert here.path.read_bytes() == DATA
        assert in_folder(tmp_path) == []
    assert not here.path.exists()


async def test_a_signed_address_is_fetched_without_credentials(
    storage: BucketServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = storage.fill(bucket, {"call.wav": DATA})
    signed = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "call.wav"})
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "Signature" in signed
    assert await read(signed) == DATA


async def test_a_connection_that_is_cut_is_tried_again(
    storage: BucketServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.fill(bucket, {"call.wav": DATA})
    with way_to(storage) as (way, server):
        way.cuts, way.after_bytes = 3, 1 << 20
        use(server, monkeypatch)
        assert await read(f"s3://{bucket}/call.wav") == DATA
        assert way.cuts == 0


async def test_what_is_replaced_while_it_is_read_is_read_again(
    storage: BucketServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = storage.fill(bucket, {"call.wav": DATA})
    other = DATA[::-1]
    written = fetch._write
    replaced: list[int] = []

    def replace_after(file: object, block: bytes) -> None:
        written(file, block)  # type: ignore[arg-type]
        if not replaced:
            replaced.append(len(block))
            client.put_object(Bucket=bucket, Key="call.wav", Body=other)

    monkeypatch.setattr(fetch, "_write", replace_after)
    assert await read(f"s3://{bucket}/call.wav") == other
    assert replaced


async def test_what_never_holds_still_is_refused_in_a_sentence(
    storage: BucketServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = storage.fill(bucket, {"call.wav": DATA})
    written, count = fetch._write, iter(range(1000))

    def replace_always(file: object, block: bytes) -> None:
        written(file, block)  # type: ignore[arg-type]
        client.put_object(Bucket=bucket, Key="call.wav", Body=DATA + bytes(next(count)))

    monkeypatch.setattr(fetch, "_write", replace_always)
    with pytest.raises(RemoteRefused, match="changes while it is read"):
        await read(f"s3://{bucket}/call.wav", patience_s=1.0)


async def test_what_is_too_large_is_not_fetched(
    storage: BucketServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.fill(bucket, {"call.wav": DATA})
    with way_to(storage) as (way, server):
        use(server, monkeypatch)
        with pytest.raises(AudioTooLarge, match=f"s3://{bucket}/call.wav is larger than 1,000,000 bytes"):
            await read(f"s3://{bucket}/call.wav", Limits(bytes=1_000_000))
        assert way.passed < 100_000


async def test_a_storage_that_is_away_is_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    use(BucketServer(1), monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    with pytest.raises(RemoteUnreachable, match=r"s3://bucket/call\.wav cannot be fetched for now"):
        await read("s3://bucket/call.wav", patience_s=0.5)


@pytest.mark.parametrize("key", ["gone.wav", "a.wav/b.wav"])
async def test_what_is_not_there_is_refused_at_once(storage: BucketServer, bucket: str, key: str) -> None:
    client = storage.fill(bucket, {"a.wav": b"x"})
    with pytest.raises(RemoteRefused, match=f"There is no s3://{bucket}/{key}"):
        await read(f"s3://{bucket}/{key}", patience_s=1000.0)
    signed = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    with pytest.raises(RemoteRefused, match="There is no") as refused:
        await read(signed, patience_s=1000.0)
    assert "Signature" not in str(refused.value)


async def test_credentials_that_are_missing_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(RemoteDenied, match="credentials"):
        await read("s3://bucket/call.wav")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", RemoteRefused),
        (403, "ExpiredToken", RemoteDenied),
        (403, "InvalidAccessKeyId", RemoteDenied),
        (503, "SlowDown", RemoteUnreachable),
        (500, "InternalError", RemoteUnreachable),
    ],
)
async def test_a_refusal_is_told_apart_and_names_no_secret(
    status: int, code: str, error: type[RemoteError], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    server = await asyncio.start_server(
        lambda reader, writer: refuse(reader, writer, f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body),
        "127.0.0.1",
        0,
    )
    use(BucketServer(server.sockets[0].getsockname()[1]), monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    async with server:
        with pytest.raises(error) as raised:
            await read("s3://bucket/call.wav", patience_s=0.3)
    assert type(raised.value) is error
    assert SECRET not in str(raised.value)


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
    request = await reader.readuntil(b"\r\n\r\n")
    writer.write(head if request.startswith(b"HEAD") else head + body)
    await writer.drain()
    writer.close()


async def test_giving_up_ends_the_thread_and_closes_its_file(
    storage: BucketServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.fill(bucket, {"call.wav": DATA})
    reading = threading.Event()
    written = fetch._write

    def slowly(file: object, block: bytes) -> None:
        written(file, block)  # type: ignore[arg-type]
        reading.set()

    monkeypatch.setattr(fetch, "_write", slowly)
    before = _without_names()
    work = asyncio.create_task(read(f"s3://{bucket}/call.wav"))
    await asyncio.to_thread(reading.wait, 30)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert fetch_ends()
    assert _without_names() <= before


def fetch_ends() -> bool:
    """Whether the threads that fetch end by themselves."""
    for thread in threading.enumerate():
        if thread.name == "fetch":
            thread.join(30)
    return all(thread.name != "fetch" for thread in threading.enumerate())


def _without_names() -> set[str]:
    """The files without a name that this process holds."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(link.readlink()))
    return {target for target in found if target.endswith("(deleted)")}


@pytest.mark.parametrize("address", ["nonsense://a/b.wav", "simplecache::s3://a/b.wav"])
async def test_an_address_of_an_unknown_kind_is_refused(address: str) -> None:
    with pytest.raises(SettingsInvalid, match="Nothing can be fetched"):
        await read(address)


async def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> object:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.url_to_fs", missing)
    with pytest.raises(ExtraMissing, match=r"callscope\[s3\]"):
        await read("s3://bucket/call.wav")
