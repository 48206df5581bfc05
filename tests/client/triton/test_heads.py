"""A made-up `punctuate` of several heads: what the client makes of whatever they say."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

from callscope.errors import ContractMismatch
from callscope.triton.fake import FakeTransport
from callscope.triton.punctuator import Punctuator
from callscope.triton.written import Punctuated, Said, write

MakeServer = Callable[..., FakeTransport]
HEADS = ("before", "after", "upper", "boundary")
AFTER = ("O", "ACRONYM", ".", ",", "?", "。", "、", ";")
BEFORE = ("O", "¿")
CHARACTERS = 4
MARKS = set(".,?。、？¿")


def by_chance(inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
    """Decisions on each token that are the same for the same tokens before it."""
    ids = inputs["input_ids"][0]
    seeds = [zlib.crc32(ids[: index + 1].tobytes()) for index in range(len(ids))]
    return {
        "after": np.array([[seed % len(AFTER) for seed in seeds]]),
        "before": np.array([[seed // 8 % len(BEFORE) for seed in seeds]]),
        "upper": np.array([[[bool(seed >> 8 + slot & 1) for slot in range(CHARACTERS)] for seed in seeds]]),
        "boundary": np.array([[seed // 64 % 3 == 0 for seed in seeds]]),
    }


def describe(server: FakeTransport, **parameters: str) -> FakeTransport:
    """Give its `punctuate` the parameters of a model of several heads."""
    told = {"labels": json.dumps(AFTER), "before_labels": json.dumps(BEFORE), "heads": json.dumps(HEADS)}
    server._parameters["punctuate"] = dict(server._parameters["punctuate"]) | told | parameters
    return server


def _is_kept(given: str, written: str) -> bool:
    """Whether a character was left as it is, or became a capital."""
    return written == given or (written == given.upper() and written.casefold() == given.casefold())


@pytest.mark.parametrize("language", ["en", "ja", "ko", "es", "zh"])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet="ab IÉé,-3はい가ßİıſ \u3099", max_size=120)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
)
def test_nothing_but_marks_and_case_ever_changes(made_up_server: MakeServer, language: str, text: str) -> None:
    async def mark() -> Punctuated:
        server = describe(made_up_server(max_length=24, answers={"punctuate": by_chance}))
        return await (await Punctuator.from_server(server)).mark(text, language)

    found = asyncio.run(mark())
    wanted = list(text)
    for character in found.text:
        if wanted and _is_kept(wanted[0], character):
            wanted.pop(0)
        else:
            assert character in MARKS
    assert not wanted, "no character is lost, and no capital"
    assert list(found.boundaries) == sorted(set(found.boundaries))
    assert all(0 < place < len(found.text) for place in found.boundaries)
    if language != "ja":
        assert all(found.text[place].isspace() for place in found.boundaries)


def test_marks_capitals_and_boundaries_stand_where_they_are_said() -> None:
    inside, last = 11, 18
    said = Said(
        after={4: "?", inside: ".", 17: "ACRONYM", last: "ACRONYM"},
        before={1: "¿", 6: "¿", 7: "¿"},
        upper={1: True, 7: False, 8: True},
        boundary={4: True, inside: True, 12: False, last: True},
    )
    assert write("hola cAmigos, 3 am", said, "es") == Punctuated("¿Hola? ¿cAMigos, 3 a.m.", (6,))
    assert write("hola cAmigos, 3 am", said, "en") == Punctuated("Hola? cAMigos, 3 a.m.", (5,))


def test_a_capital_that_would_be_two_letters_or_another_stays() -> None:
    everything = dict.fromkeys(range(1, 6), True)
    assert write("ßıaſŉ", Said(upper=everything), "de").text == "ßıAſŉ"


@pytest.mark.asyncio
async def test_the_model_reads_lower_case_and_capitals_that_were_there_stay(made_up_server: MakeServer) -> None:
    seen = []

    def silent(inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        seen.append(inputs["input_ids"][0].tolist())
        answer = by_chance(inputs)
        return {name: np.zeros_like(array) for name, array in answer.items()}

    server = describe(made_up_server(answers={"punctuate": silent}))
    punctuator = await Punctuator.from_server(server)
    tokenizer: Tokenizer = punctuator.model.tokenizer
    assert await punctuator.punctuate("My NAME is İda", "en") == "My NAME is İda"
    assert tokenizer.decode([token for token in seen[0] if token], skip_special_tokens=True) == "my name is İda"


@pytest.mark.asyncio
async def test_a_server_may_lack_heads_and_english_then_has_capitals_by_rule(made_up_server: MakeServer) -> None:
    def commas(inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        return {"after": np.full(inputs["input_ids"].shape, AFTER.index("."))}

    server = describe(made_up_server(answers={"punctuate": commas}), heads='["after"]')
    del server._parameters["punctuate"]["before_labels"]  # type: ignore[attr-defined]
    punctuator = await Punctuator.from_server(server)
    assert await punctuator.mark("yes i do", "en") == Punctuated("Yes. I. Do.")
    assert server.requests[-1].outputs == ("after",)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"heads": '["upper"]'}, "lack 'after'"),
        ({"heads": "all"}, "not a JSON list"),
        ({"before_labels": "¿"}, "not a JSON list"),
        ({"labels": '["O", "LABEL_1"]'}, "not known as marks"),
        ({"labels": '["O", "."]'}, "lack COMMA, QUESTION"),
    ],
)
@pytest.mark.asyncio
async def test_heads_that_are_not_understood_say_so(
    made_up_server: MakeServer, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(ContractMismatch, match=message):
        await Punctuator.from_server(describe(made_up_server(), **parameters))


@pytest.mark.parametrize(("name", "number"), [("after", len(AFTER)), ("before", -1)])
@pytest.mark.asyncio
async def test_a_number_without_a_label_is_no_answer(made_up_server: MakeServer, name: str, number: int) -> None:
    def beyond(inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        return by_chance(inputs) | {name: np.full(inputs["input_ids"].shape, number)}

    punctuator = await Punctuator.from_server(describe(made_up_server(answers={"punctuate": beyond})))
    with pytest.raises(ContractMismatch, match=f"{name} holds {number}"):
        await punctuator.punctuate("yes", "en")


@pytest.mark.parametrize(
    ("labels", "period"),
    [
        (("0", ".", ",", "?", "-", ":"), "."),
        (("LOWER_O", "TITLE_COMMA", "PERIOD_UPPER", "QUESTION_LOWER"), "PERIOD_UPPER"),
        (("O", "、", "。", "？"), "。"),
        (("OU", "OO", ",O", ".U", "?O"), ".U"),
    ],
)
@pytest.mark.asyncio
async def test_one_head_with_other_names_marks_as_well(
    made_up_server: MakeServer, labels: tuple[str, ...], period: str
) -> None:
    def ends(inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        logits = np.zeros((*inputs["input_ids"].shape, len(labels)), np.float32)
        logits[..., labels.index(period)] = 1
        return {"logits": logits}

    for language, text, marked in (("en", "i see", "I. See."), ("ja", "はい", "は。い。"), ("ko", "네", "네.")):
        server = made_up_server(answers={"punctuate": ends})
        server._parameters["punctuate"] = dict(server._parameters["punctuate"], labels=json.dumps(labels))
        assert await (await Punctuator.from_server(server)).mark(text, language) == Punctuated(marked)
