"""What can go wrong with work that is done in other processes."""

from __future__ import annotations

from typing import ClassVar

from callscope.errors import CallscopeError, one_line


class ClusterUnusable(CallscopeError):
    """Ray cannot be started on this machine, or no cluster answers at its address.

    What to do: correct --ray-address, or run without --engine ray.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, address: str | None, detail: str) -> None:
        what = f"No cluster of Ray answers at {address}" if address else "Ray cannot be started here"
        super().__init__(f"{what} ({one_line(detail)}). Correct --ray-address, or run without --engine ray.")


class WorkerStopped(CallscopeError):
    """What ended the work in another process; message and exit code are those of the error there.

    What to do: what the message says.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # as told, and not the class's
