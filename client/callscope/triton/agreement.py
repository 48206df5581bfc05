"""Servers that share the work must serve the same: results may not depend on which of them was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callscope.errors import ModelMissing, ServersDiffer, ServerUnreachable, TritonError
from callscope.triton.deadline import deadline, left_s
from callscope.triton.endpoint import Endpoint
from callscope.triton.transport import DIAGNOSIS_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Served:
    """What has to be the same: a model's version and all that its config says of it; None where it is not served."""

    version: str | None
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        if self.version is None:
            return "none"
        told = [self.parameters.get(name, "") for name in ("source", "revision", "precision")]
        return f"version {self.version}" + (f" ({' '.join(filter(None, told))})" if any(told) else "")


class Agreement:
    """What the servers agreed on when each model was first asked for.

    A mixture is refused then. A server that was away and comes back with something else is left out.

    Args:
        endpoints: of the pool.
        url: the pool's, for messages.
    """

    def __init__(self, endpoints: Sequence[Endpoint], url: str) -> None:
        self._endpoints, self._url = endpoints, url
        self._agreed: dict[str, Served] = {}
        self._asking = asyncio.Lock()

    async def check(self, model: str) -> None:
        """Ask every server that is up for a model, the first time; one alone agrees with itself.

        Raises:
            ServersDiffer: not all serve the same.
            ModelMissing: none serves it.
        """
        if len(self._endpoints) == 1 or model in self._agreed:
            return
        async with self._asking:
            if model not in self._agreed:
                await self._agree(model)

    async def returns(self, endpoint: Endpoint) -> bool:
        """Whether a server that was away serves what the others do; notes in `differs` if not."""
        if len(self._endpoints) == 1:
            return True
        try:
            for model, agreed in self._agreed.items():
                found = await _served(endpoint, model)
                if found != agreed:
                    endpoint.differs = f"it serves {found} of {model}, the others {agreed}"
                    return False
        except TritonError:
            return False
        endpoint.differs = ""
        return True

    async def _agree(self, model: str) -> None:
        up = [endpoint for endpoint in self._endpoints if endpoint.is_up]
        answers = await asyncio.gather(*(_served(endpoint, model) for endpoint in up), return_exceptions=True)
        found: dict[Endpoint, Served] = {}
        for endpoint, answer in zip(up, answers, strict=True):
            if isinstance(answer, Served):
                found[endpoint] = answer
            elif isinstance(answer, TritonError) and left_s() > 0:
                endpoint.error = answer if isinstance(answer, ServerUnreachable) else None
                endpoint.breaker.trip()  # it comes back by a health check, which asks it again
            else:
                raise answer
        served = list(found.values())
        if any(each != served[0] for each in served):
            texts = {endpoint.url: str(each) for endpoint, each in found.items()}
            raise ServersDiffer(self._url, model, _told_apart(texts, found))
        if served and served[0].version is not None:
            self._agreed[model] = served[0]


def _told_apart(texts: dict[str, str], found: Mapping[Endpoint, Served]) -> dict[str, str]:
    """The descriptions, with the parameters that differ where they read the same."""
    if len(set(texts.values())) > 1:
        return texts
    names = {name for each in found.values() for name in each.parameters}
    differing = sorted(name for name in names if len({each.parameters.get(name) for each in found.values()}) > 1)
    return {url: f"{text} with another {differing[0]}" for url, text in texts.items()} if differing else texts


async def _served(endpoint: Endpoint, model: str) -> Served:
    try:
        with deadline(DIAGNOSIS_TIMEOUT_S):  # one that hangs may not hold up the others
            version = await endpoint.wire.version(model)
            return Served(version, await endpoint.wire.parameters(model))
    except ModelMissing:
        return Served(None, {})
