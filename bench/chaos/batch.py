"""`callscope batch` as automation runs it: again and again, until it says that all is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

DONE, SET_ASIDE = 0, 3
LINES = 10


@dataclass(slots=True)
class Batch:
    """A command over a folder of recordings, and its process.

    Attributes:
        folder: where it works; holds `recordings`.
        store: the database's address.
        server: Triton's address.
        codes: with what it ended, each time that it ended by itself.
    """

    folder: Path
    store: str
    server: str
    codes: list[int] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of its process; 0 before it was started."""
        return self._process.pid if self._process else 0

    @property
    def log(self) -> Path:
        """What it said, each time after the other."""
        return self.folder / "batch.log"

    def last_words(self) -> str:
        """The last lines of that."""
        return "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-LINES:])

    @property
    def temporary(self) -> Path:
        """Where it may keep what is not to stay."""
        return self.folder / "temporary"

    def start(self, *more: str) -> None:
        """Run it, beside this process."""
        self.temporary.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "callscope", "batch", "recordings", "--no-cache", "--store", self.store]
        command += ["--server", self.server, "--aside", "aside.jsonl", *more]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLSCOPE_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env={**kept, "TMPDIR": str(self.temporary)}, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it goes on.
        """
        if self._process is None:
            raise RuntimeError("the batch was not started")
        code = self._process.wait(timeout_s)
        self.codes.append(code)
        return code

    def has_ended(self) -> bool:
        """Whether it has, by itself."""
        return self._process is not None and self._process.poll() is not None

    def set_aside(self) -> set[str]:
        """The names of the recordings that it could not read, each of which has a reason."""
        file = self.folder / "aside.jsonl"
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
        return {Path(line["path"]).name for line in lines if line["reason"]}
