from __future__ import annotations

import numpy as np
import pytest

from callscope.errors import ModelMissing, ServerBusy
from callscope.triton.fake import FakeTransport
from callscope.triton.transport import Tensors, Transport

pytestmark = pytest.mark.asyncio


async def test_answers_come_from_the_script_in_order() -> None:
    busy = ServerBusy("fake://callscope", "double", "full")
    transport: Transport = FakeTransport({"double": [{"y": np.ones(1)}, busy, lambda inputs: {"y": inputs["x"] * 2}]})
    assert (await transport.infer("double", {"x": np.zeros(1)}))["y"] == [1]
    with pytest.raises(ServerBusy):
        await transport.infer("double", {"x": np.zeros(1)})
    assert (await transport.infer("double", {"x": np.full(1, 4.0)}))["y"] == [8]
    with pytest.raises(ModelMissing):
        await transport.infer("double", {"x": np.zeros(1)})


async def test_only_the_outputs_asked_for_are_given() -> None:
    def both(inputs: Tensors) -> Tensors:
        return {"a": inputs["x"], "b": inputs["x"]}

    assert set(await FakeTransport({"m": both}).infer("m", {"x": np.zeros(1)}, outputs=["b"])) == {"b"}


async def test_it_remembers_what_it_was_asked() -> None:
    transport = FakeTransport({"m": {}}, parameters={"m": {"contract": "1"}, "n": {}})
    await transport.infer("m", {}, timeout_s=3.0, priority=1)
    assert [(request.model, request.timeout_s, request.priority) for request in transport.requests] == [("m", 3.0, 1)]
    assert await transport.parameters("m") == {"contract": "1"}
    assert [model.name for model in await transport.models()] == ["m", "n"]
    assert await transport.version("m") == "1"
    with pytest.raises(ModelMissing):
        await transport.version("absent")
    await transport.close()
    assert transport.closed
