"""What can go wrong when the server is started or runs.

ServerError                     exit 4
├── EnvironmentBroken           exit 6   libpython is missing, NumPy 2, or the environment cannot be made
├── RepositoryInvalid           exit 5   no repository, or a model of it does not load
├── PortInUse                   exit 4
├── ServerNotReady              exit 4   models were still loading when the time was up
└── ServerDied                  exit 4   tritonserver ended by itself
"""

from __future__ import annotations

from typing import ClassVar


class ServerError(Exception):
    """The server cannot be had; `str()` is the full message for the user.

    What to do: see the server's log, and what `callscope doctor` finds.

    Attributes:
        exit_code: what a command that fails with this error exits with.
    """

    exit_code: ClassVar[int] = 4


class EnvironmentBroken(ServerError):
    """The server's own Python environment cannot be made or is not fit to run.

    What to do: do what the message says; `callscope doctor` checks the environment.
    """

    exit_code: ClassVar[int] = 6


class RepositoryInvalid(ServerError):
    """The model repository is missing, empty, or holds a model that does not load.

    What to do: correct --repository, or export the model again that the message names.
    """

    exit_code: ClassVar[int] = 5


class PortInUse(ServerError):
    """Another process listens on a port the server was to have.

    What to do: stop the process that listens there, or choose another port; 0 takes any free one.

    Attributes:
        port: which.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        super().__init__(
            f"Port {port} on {host} is already in use. Stop the process that listens there, or choose another port "
            f"(0 takes any free one)."
        )


class ServerNotReady(ServerError):
    """The server did not become ready in the time it was given.

    What to do: raise --startup-timeout-s, or serve fewer models.
    """


class ServerDied(ServerError):
    """The tritonserver process ended although nobody asked it to.

    What to do: see the server's log, which the message names, and start it again.
    """
