"""A storage for all tests, a bucket for each, and a client that finds it by its environment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import fsspec
import pytest
from tests.bucket_server import BucketServer, bucket_server


@pytest.fixture(scope="session")
def storage() -> Iterator[BucketServer]:
    with bucket_server() as server:
        yield server


@pytest.fixture
def bucket() -> str:
    """A name that no other test has."""
    return f"b{uuid.uuid4().hex}"


@pytest.fixture(autouse=True)
def environment(storage: BucketServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in storage.environment.items():
        monkeypatch.setenv(name, value)
    yield
    fsspec.get_filesystem_class("s3").clear_instance_cache()
