"""What can go wrong in the client, and how each failure speaks to its user.

    CallscopeError
    ├── SettingsInvalid       2  a setting or an argument makes no sense
    │   └── LanguageUnknown   2  the served recogniser does not know the language
    ├── StepFellBack          5  a step did less than it should, and a setting asks for it whole
    ├── ResultUnwritable      3  the result cannot be written where it was asked for
    ├── CacheUnusable         3  results kept to be used again cannot be read or written
    ├── RemoteError              every failure of a storage that recordings are fetched from
    │   ├── RemoteRefused     3  a recording or a bucket is not there, may not be read, or does not hold still
    │   ├── RemoteDenied      4  the storage does not accept our credentials, or there are none
    │   └── RemoteUnreachable 4  it does not answer, or breaks off
    ├── StoreError               every failure of the database of results
    │   ├── StoreUnreachable  4  it does not answer, lets nobody in, or has no connection to spare
    │   ├── StoreFull         4  its disk is full
    │   ├── StoreDamaged      5  a result in it cannot be read
    │   └── StoreMismatch     5  its tables are another version's
    ├── TritonError              every failure between the client and a server; `url` says which server
    │   ├── ServerUnreachable 4  nothing that speaks Triton's protocol answers there
    │   ├── ServerTimeout     4  no answer before the deadline
    │   ├── ServerBusy        4  the server refused for now: its queue is full (UNAVAILABLE, HTTP 503)
    │   ├── AccessDenied      4  the server asks for a key, or for another
    │   ├── ModelMissing      5  the server does not serve the model
    │   ├── ServersDiffer     5  several servers share the work and do not serve the same
    │   ├── ContractMismatch  5  the model is served and is not what this client expects
    │   └── RequestFailed     5  the model is served and could not answer
    └── ExtraMissing          6  an optional part of Callscope is not installed

The figure is the exit code. `str(error)` is the full message for the user: what happened, then what to do.
Errors of workers in other processes are in `callscope.batch.worker_errors`, those about the sound itself
`callscope_preprocessing.errors.AudioError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class CallscopeError(Exception):
    """The base of every error the client raises on purpose."""

    exit_code: ClassVar[int] = 1


class SettingsInvalid(CallscopeError):
    """A setting or an argument makes no sense; the message says which and what would.

    What to do: correct what the message names; `callscope config` shows every setting and where its value comes
    from.
    """

    exit_code: ClassVar[int] = 2


class LanguageUnknown(SettingsInvalid):
    """The served recogniser does not know the language that was asked for.

    What to do: choose a language that the message lists, or leave --language out to have it detected.
    """

    def __init__(self, language: str, known: Sequence[str]) -> None:
        super().__init__(
            f"The served recogniser does not know the language {language!r}. "
            f"Choose one of {_listed(known)}, or leave the language out to detect it."
        )
        self.language = language


class StepFellBack(CallscopeError):
    """A step did less than it should, and the setting `require` asks for it whole.

    What to do: mend what the message says of the step, or leave it out of --require.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(
            f"The step {step} fell back ({one_line(reason)}), and --require asks for it whole. "
            f"Mend that, or leave {step} out of --require."
        )
        self.step = step


class ResultUnwritable(CallscopeError):
    """The result cannot be written where it was asked for.

    What to do: make room there, or choose another place.
    """

    exit_code: ClassVar[int] = 3


class CacheUnusable(CallscopeError):
    """Results that are kept to be used again cannot be read or written; every call can be analysed without them.

    What to do: make room, name another folder with --cache, or `callscope cache clear`.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, file: str, detail: str) -> None:
        super().__init__(
            f"The cache {file} cannot be used ({one_line(detail)}), and calls are analysed without it. "
            "Make room, name another folder with --cache, or remove a damaged file with `callscope cache clear`."
        )


class RemoteError(CallscopeError):
    """A failure of a storage that recordings are fetched from; the message names it without keys or signatures.

    What to do: see that the storage is there, and that its address and credentials are right.
    """


class RemoteRefused(RemoteError):
    """A recording or a bucket is not there, may not be read, or changes while it is read.

    What to do: correct its address, or let these credentials read it.
    """

    exit_code: ClassVar[int] = 3


class RemoteDenied(RemoteError):
    """The storage does not accept our credentials, or there are none.

    What to do: renew them where the storage's own tools look for them.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(
            f"{name} cannot be read with these credentials ({one_line(detail)}). Renew them where the storage's "
            "own tools look for them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws."
        )


class RemoteUnreachable(RemoteError):
    """The storage does not answer, or breaks off."""

    exit_code: ClassVar[int] = 4

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(
            f"{name} cannot be fetched for now ({one_line(detail)}). "
            "See that its storage answers, or correct the address of that, such as AWS_ENDPOINT_URL."
        )


class StoreError(CallscopeError):
    """A failure of the database of results.

    What to do: see that the database is there and is what --store names.
    """


class StoreUnreachable(StoreError):
    """The database does not answer, lets nobody in, or has no connection to spare.

    What to do: see that the database runs and lets you in, or correct --store; then run the same command again.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(
            f"The database {url} cannot be used ({one_line(detail)}). "
            "See that it runs and lets you in, or correct --store."
        )


class StoreFull(StoreError):
    """The database's disk is full; what was written before is safe.

    What to do: make room, for example with `callscope db purge`, and run the same command again.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(
            f"The database {url} has no room ({one_line(detail)}). Make room, for example with "
            "`callscope db purge --older-than 90d`, and run the same command again: what is stored already is kept."
        )


class StoreDamaged(StoreError):
    """A result in the database cannot be read: something has changed its bytes.

    What to do: take the database from its last copy, or delete that call and analyse its recording again.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, call: str, detail: str) -> None:
        super().__init__(
            f"The stored result of the call {call} is damaged ({one_line(detail)}). Take the database from its last "
            "copy, or delete that call and analyse its recording again."
        )


class StoreMismatch(StoreError):
    """The database's tables are of another version of Callscope; the message says what to do.

    What to do: bring the tables up to date with `callscope db upgrade`, or install the version that made them.
    """

    exit_code: ClassVar[int] = 5


class TritonError(CallscopeError):
    """A failure between the client and a server.

    What to do: see the server's log, and what `callscope doctor` finds.

    Attributes:
        url: the server's address as the user gave it.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, url: str, message: str) -> None:
        super().__init__(message)
        self.url = url


class ServerUnreachable(TritonError):
    """Nothing that speaks Triton's protocol answers at the address.

    What to do: start a server with `callscope serve`, or correct --server.

    Attributes:
        passing: whether that may pass by itself, as where a connection is refused or lost; not where something else
            answers there.
    """

    def __init__(self, url: str, detail: str, *, passing: bool = False) -> None:
        super().__init__(
            url,
            f"No Triton answers at {url} ({one_line(detail)}). Start one with `callscope serve`, or correct "
            "--server: its form is grpc://HOST:PORT (usually port 8001) or http://HOST:PORT (usually port 8000).",
        )
        self.passing = passing


class ServerTimeout(TritonError):
    """No answer came before the deadline.

    What to do: raise --timeout-s, lower --concurrency, or give the server more instances.
    """

    def __init__(self, url: str, model: str, timeout_s: float) -> None:
        what = f"a request for {model}" if model else "a question about its models"
        super().__init__(
            url,
            f"{url} did not answer {what} within {timeout_s:g} s. "
            "Raise the request timeout, lower the concurrency, or give the server more instances.",
        )


class ServerBusy(TritonError):
    """The server refused for now, because its queue is full; the same request may succeed later.

    What to do: lower --concurrency, try again later, or give the server more instances.
    """

    def __init__(self, url: str, model: str, detail: str) -> None:
        super().__init__(
            url,
            f"{url} is too busy to take more requests for {model} ({one_line(detail)}). "
            "Lower the concurrency, try again later, or give the server more instances.",
        )


class AccessDenied(TritonError):
    """The server asks for a key in a header, and got none or another.

    What to do: set `headers` to what the server's administrator gave you; docs/security.md explains it.
    """

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(
            url,
            f"{url} does not allow this without its key ({one_line(detail)}). "
            "Set CALLSCOPE_HEADERS to `NAME: VALUE`, with the header that is named here and the key you were given.",
        )


class ModelMissing(TritonError):
    """The server answers and does not serve the model.

    What to do: point --server at a Triton that serves a Callscope model repository; `callscope models` lists what
    it serves.

    Attributes:
        model: the name that was asked for.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, url: str, model: str, served: Sequence[str], reason: str = "") -> None:
        others = f"serves {_listed(served)} but not {model}" if served else f"does not serve {model}"
        because = f" ({one_line(reason)})" if reason else ""
        super().__init__(
            url,
            f"The Triton at {url} {others}{because}. "
            "Point --server at one that serves a Callscope model repository, or start one with `callscope serve`.",
        )
        self.model = model


class ServersDiffer(TritonError):
    """Several servers share the work and do not serve the same model.

    What to do: give all servers the same model repository, or name only those in --server that have it.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, url: str, model: str, serving: Mapping[str, str]) -> None:
        each = ", ".join(f"{server} serves {what}" for server, what in serving.items())
        super().__init__(
            url,
            f"The servers do not serve the same {model}: {each}. "
            "Give them the same model repository, or name only those in --server that have it.",
        )
        self.model = model


class ContractMismatch(TritonError):
    """The model is served and is not what this client expects.

    What to do: export the model again with `callscope export` of this version.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, url: str, model: str, detail: str) -> None:
        super().__init__(
            url,
            f"The model {model} at {url} does not keep Callscope's contract: {one_line(detail)}. "
            "Export it again with the `callscope export` of this version, or install the client that fits it.",
        )
        self.model = model


class RequestFailed(TritonError):
    """The model is served and could not answer the request.

    What to do: see the server's log, and what `callscope doctor` finds.

    Attributes:
        passing: whether another server may answer the same request, or this one later: what failed is the server.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, url: str, model: str, detail: str, *, passing: bool = False) -> None:
        super().__init__(
            url,
            f"The model {model} at {url} failed: {one_line(detail)}. "
            "The server's log says more; `callscope doctor` checks the server and its repository.",
        )
        self.model = model
        self.passing = passing


class ExtraMissing(CallscopeError):
    """An optional part of Callscope is not installed.

    What to do: install the extra that the message names.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed. Install them with `pip install 'callscope[{extra}]'`."
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))


def one_line(text: str) -> str:
    """Without line breaks and the last full stop: a part of a sentence."""
    return " ".join(text.split()).rstrip(".")
