"""Engines in processes of their own, run in turn: what disturbs the machine disturbs them all alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import psutil

from bench.engines import ENGINES, Tokens, Windows, Work

MEMORY_INTERVAL_S = 0.25
MIB = 2**20


@dataclass(slots=True)
class Result:
    """What was seen of one engine.

    Attributes:
        load_s: until it was ready for work.
        wall_s: each round's time.
        peak_mib: the most memory that it and its children held, shared pages counted once.
        figures: what it said of itself.
        tokens: of the last round.
    """

    load_s: float
    wall_s: list[float] = field(default_factory=list)
    peak_mib: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    tokens: Tokens | None = None


class EngineFailed(RuntimeError):
    """An engine ended with an error."""


def compare(
    names: list[str], work: Work, windows: Windows, rounds: int, say: Callable[[str], None]
) -> dict[str, Result]:
    """Load every engine, warm it up, then let each in its turn transcribe all windows, as often as there are rounds.

    Raises:
        EngineFailed: one of them cannot do the work.
    """
    children = {name: _Child(name, work) for name in names}
    try:
        results = {}
        for name, child in children.items():
            results[name] = Result(load_s=child.answer())
            say(f"{name}: ready after {results[name].load_s:.1f} s")
            child.ask("run", windows[:1])
        for turn in range(rounds):
            for name, child in children.items():
                _round(child, results[name], windows)
                say(f"round {turn + 1} of {rounds}, {name}: {results[name].wall_s[-1]:.2f} s")
        for name, child in children.items():
            results[name].figures = child.ask("figures")
        return results
    finally:
        for child in children.values():
            child.close()


def _round(child: _Child, result: Result, windows: Windows) -> None:
    with child.watched() as peak:
        began = time.perf_counter()
        result.tokens = child.ask("run", windows)
        result.wall_s.append(time.perf_counter() - began)
    result.peak_mib = max(result.peak_mib, peak())


class _Child:
    """A process that holds one engine."""

    def __init__(self, name: str, work: Work) -> None:
        context = get_context("spawn")
        self._name = name
        self._near, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, name, work))
        self._process.start()
        far.close()

    def ask(self, verb: str, *arguments: object) -> Any:  # noqa: ANN401  whatever the verb gives
        self._near.send((verb, *arguments))
        return self.answer()

    def answer(self) -> Any:  # noqa: ANN401  as above
        try:
            answer = self._near.recv()
        except EOFError:
            raise EngineFailed(f"{self._name} ended. Read what it printed above.") from None
        if isinstance(answer, BaseException):
            raise EngineFailed(f"{self._name} failed: {answer}") from answer
        return answer

    @contextmanager
    def watched(self) -> Iterator[Callable[[], float]]:
        """Watch the memory of the process and its children; what is given tells the peak in MiB."""
        seen, ended = [0.0], threading.Event()

        def watch() -> None:
            while True:
                seen.append(_held_mib(self._process.pid))
                if ended.wait(MEMORY_INTERVAL_S):
                    break

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield lambda: max(seen)
        finally:
            ended.set()
            thread.join()

    def close(self) -> None:
        """End the engine and its process."""
        if self._process.is_alive():
            self._near.send(("close",))
        self._near.close()
        self._process.join()


def _held_mib(pid: int | None) -> float:
    try:
        whole = psutil.Process(pid)
        family = [whole, *whole.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    held = 0
    for process in family:
        try:
            held += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return float(held / MIB)


def _serve(connection: Connection, name: str, work: Work) -> None:
    """Be the child: load the engine, then answer."""
    try:
        began = time.perf_counter()
        engine = ENGINES[name](work)
        connection.send(time.perf_counter() - began)
    except Exception as error:
        connection.send(EngineFailed(f"{type(error).__name__}: {error}"))
        return
    try:
        while (request := connection.recv())[0] != "close":
            connection.send(_answer(engine, request))
    except EOFError:
        pass
    finally:
        engine.close()


def _answer(engine: Any, request: tuple[Any, ...]) -> Any:  # noqa: ANN401  as above
    verb, *arguments = request
    try:
        answer = getattr(engine, verb)(*arguments)
    except Exception as error:
        return EngineFailed(f"{type(error).__name__}: {error}")
    return np.asarray(answer) if verb == "run" else dict(answer)
