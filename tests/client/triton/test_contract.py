from __future__ import annotations

import pytest

from callscope.errors import ContractMismatch
from callscope.triton.contract import Description, describe
from callscope.triton.fake import FakeTransport

HELD = Description(
    "grpc://host:1",
    "model",
    "1",
    {"contract": "1", "n": "12", "zero": "0", "odd": "12.5", "map": '{"en": 3}', "broken": "{"},
)


@pytest.mark.asyncio
async def test_another_version_of_the_contract_is_refused() -> None:
    server = FakeTransport({}, parameters={"transcribe": {"contract": "2"}})
    with pytest.raises(ContractMismatch, match="written for contract 2, this client for 1"):
        await describe(server, "transcribe")


@pytest.mark.asyncio
async def test_a_model_of_somebody_else_is_refused() -> None:
    with pytest.raises(ContractMismatch, match="no parameter 'contract'"):
        await describe(FakeTransport({"transcribe": {}}), "transcribe")


def test_parameters_are_read_as_what_they_must_be() -> None:
    assert HELD.text("n") == "12"
    assert HELD.count("n") == 12
    assert HELD.json("map", dict) == {"en": 3}


@pytest.mark.parametrize("name", ["zero", "odd", "map", "absent"])
def test_what_is_no_count_is_refused_by_name(name: str) -> None:
    with pytest.raises(ContractMismatch, match=name):
        HELD.count(name)


@pytest.mark.parametrize("name", ["n", "map", "broken", "absent"])
def test_what_is_no_list_is_refused_by_name(name: str) -> None:
    with pytest.raises(ContractMismatch, match=name):
        HELD.json(name, list)
