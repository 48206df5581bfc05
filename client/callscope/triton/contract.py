"""What a served model says of itself: the `parameters` of its config.pbtxt, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from callscope.errors import ContractMismatch
from callscope.triton.transport import Transport

Json = TypeVar("Json", dict[str, int], list[str])

CONTRACT = "1"


@dataclass(frozen=True, slots=True)
class Description:
    """A model's parameters, with the errors that a missing or malformed one deserves.

    Attributes:
        url: the server, for messages.
        model: the model's name.
        version: the served version.
        parameters: as the server gave them.
    """

    url: str
    model: str
    version: str
    parameters: Mapping[str, str]

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        try:
            return self.parameters[name]
        except KeyError:
            raise self.mismatch(f"its config.pbtxt has no parameter {name!r}") from None

    def count(self, name: str) -> int:
        """A parameter that must be a whole number above zero."""
        value = self.text(name)
        if not value.isdecimal() or int(value) == 0:
            raise self.mismatch(f"the parameter {name!r} is {value!r} and not a whole number above zero")
        return int(value)

    def json(self, name: str, kind: type[Json]) -> Json:
        """A parameter that must be JSON of the given kind, `dict` or `list`."""
        value = self.text(name)
        try:
            parsed = json.loads(value)
        except json.JSONDecodeError:
            parsed = None
        if not isinstance(parsed, kind):
            raise self.mismatch(f"the parameter {name!r} is {value!r} and not a JSON {kind.__name__}")
        return parsed

    def mismatch(self, detail: str) -> ContractMismatch:
        """The error for whatever else is wrong with the model."""
        return ContractMismatch(self.url, self.model, detail)


async def describe(transport: Transport, model: str) -> Description:
    """Ask the server what `model` is.

    Raises:
        ModelMissing: the server does not serve it.
        ContractMismatch: it is written for another version of the contract.
    """
    version = await transport.version(model)
    description = Description(transport.url, model, version, await transport.parameters(model))
    if description.text("contract") != CONTRACT:
        raise description.mismatch(
            f"it is written for contract {description.text('contract')}, this client for {CONTRACT}"
        )
    return description
