"""A PostgreSQL for tests and benchmarks."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def find_programs() -> Path | None:
    """Where the newest PostgreSQL's programs are; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def let_pass(folder: Path) -> None:
    """Let other accounts reach a folder of ours."""
    for parent in (folder, *folder.parents):
        if parent.owner() == pwd.getpwuid(os.geteuid()).pw_name and str(parent) != "/":
            parent.chmod(parent.stat().st_mode | 0o055)


class PostgresServer:
    """A PostgreSQL of its own in a folder, started, killed and started again at will; it ends with this process.

    It refuses to run as root; root runs it as the account that Debian's package made.

    Args:
        folder: an empty one, which that account can reach.
        programs: where `initdb` and `postgres` are.
        settings: of the server, besides its place.
    """

    def __init__(self, folder: Path, programs: Path, settings: Sequence[str] = ("fsync=off",)) -> None:
        self._folder, self._programs, self._settings = folder, programs, settings
        self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if self._as:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        self._run(
            "initdb",
            "--pgdata",
            str(folder / "data"),
            "--username=tests",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgresql://tests@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["-D", str(self._folder / "data"), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        for setting in (f"unix_socket_directories={self._folder}", *self._settings):
            options += ["-c", setting]
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig=QUIT", *self._as[1:], str(self._programs / "postgres"), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        for _ in range(300):
            ready = subprocess.run(
                [self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)],
                capture_output=True,
                check=False,
            )
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL did not start.")

    def stop(self, *, kill: bool = False) -> None:
        """End it, at once and without a word if `kill`."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.send_signal(2)
        self._process.wait(timeout=60)
        self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, str(self._programs / program), *arguments], check=True, capture_output=True, cwd=self._folder
        )
