"""A Hugging Face hub on loopback: the part of its HTTP API that a download needs, and a line that can break."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = hashlib.sha1(b"the one commit", usedforsecurity=False).hexdigest()


@dataclass
class Hub:
    """What the hub serves, and what was asked of it.

    Attributes:
        breaks: how often the line still breaks in the middle of the weights.
        asked: (method, path, Range header) of every request.
    """

    repo: str
    folder: Path
    revision: str = "main"
    breaks: int = 0
    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def loopback_hub(hub: Hub) -> Iterator[Hub]:
    """Serve a folder as a model of the hub until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(send=False)

        def do_GET(self) -> None:
            self._answer(send=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, *, send: bool) -> None:
            hub.asked.append((self.command, self.path, self.headers.get("Range", "")))
            path = self.path.split("?")[0]
            revisions = f"(?:{hub.revision}|{COMMIT})"
            if re.fullmatch(f"/api/models/{hub.repo}(/revision/{revisions})?", path):
                files = [{"rfilename": file.name} for file in sorted(hub.folder.iterdir())]
                self._json({"id": hub.repo, "sha": COMMIT, "siblings": files, "private": False}, send=send)
            elif re.fullmatch(f"/api/models/{hub.repo}/tree/{revisions}", path):
                self._json([_entry(file) for file in sorted(hub.folder.iterdir())], send=send)
            elif found := re.fullmatch(f"/{hub.repo}/resolve/{revisions}/(.+)", path):
                self._file(hub.folder / found[1], send=send)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound" if hub.repo not in path else "RevisionNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def _json(self, content: object, *, send: bool) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if send:
                self.wfile.write(body)

        def _file(self, file: Path, *, send: bool) -> None:
            data = file.read_bytes()
            first = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
            self.send_response(206 if first else 200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("Accept-Ranges", "bytes")
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - first))
            self.end_headers()
            if send and hub.breaks and file.suffix == ".safetensors":
                hub.breaks -= 1
                self.wfile.write(data[first : first + (len(data) - first) // 2])
                self.wfile.flush()
                self.close_connection = True
            elif send:
                self.wfile.write(data[first:])

    return Handler


def _entry(file: Path) -> dict[str, object]:
    return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": "0" * 40}
