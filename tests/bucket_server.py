"""A storage that speaks S3's protocol, as a process of its own, and a way to it that can be made to fail."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.config

SECRET = "wJalrXUtnFEMI-K7MDENG-secret"
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
PART = 1 << 14


@dataclass(frozen=True)
class BucketServer:
    """A storage on this machine."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What leads a client to it."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.endpoint}

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=SECRET,
            config=botocore.config.Config(signature_version="s3v4"),
        )

    def fill(self, bucket: str, objects: Mapping[str, bytes]) -> Any:
        """Make a bucket of these; the client that did."""
        client = self.client()
        client.create_bucket(Bucket=bucket)
        for key, data in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=data)
        return client


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def bucket_server(**environment: str) -> Iterator[BucketServer]:
    """Start a storage; moto's, which lets everybody in unless told otherwise."""
    server = BucketServer(free_port())
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(server.port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=quiet, stderr=quiet) as process:
        try:
            for _ in range(600):
                with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
                    break
                time.sleep(0.1)
            yield server
        finally:
            process.kill()


@dataclass
class Way:
    """A TCP proxy before a server.

    Attributes:
        cuts: how many connections are still to be cut, each when so many bytes have come back.
        after_bytes: how many.
        stalls: whether what comes back after those is held instead.
        passed: bytes that came back in all.
    """

    target: int
    cuts: int = 0
    after_bytes: int = 0
    stalls: bool = False
    passed: int = 0
    port: int = field(default_factory=free_port)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            back = 0
            while True:
                ready, _, _ = select.select([client, server], [], [], 30)
                for end in ready:
                    data = end.recv(PART)
                    if end is server:
                        back += len(data)
                        self.passed += len(data)
                    if not data or self._is_cut(back):
                        return
                    (client if end is server else server).sendall(data)

    def _is_cut(self, back: int) -> bool:
        if not self.cuts or back <= self.after_bytes:
            return False
        while self.stalls:
            time.sleep(0.05)
        self.cuts -= 1
        return True


@contextmanager
def way_to(server: BucketServer) -> Iterator[tuple[Way, BucketServer]]:
    """A proxy before a storage, and that storage by way of it."""
    way = Way(server.port)
    with socket.create_server(("127.0.0.1", way.port)) as listener:
        threading.Thread(target=way.serve, args=(listener,), daemon=True).start()
        try:
            yield way, BucketServer(way.port)
        finally:
            way.stalls = False
            listener.shutdown(socket.SHUT_RDWR)
