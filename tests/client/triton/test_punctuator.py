from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callscope.errors import ContractMismatch, ModelMissing
from callscope.triton.fake import FakeTransport
from callscope.triton.punctuator import Punctuator, capitalise, insert_marks

MakeServer = Callable[..., FakeTransport]
AfterWords = Callable[[Mapping[str, str]], Callable[[str], Mapping[int, str]]]
MARKS = "、。？！,.?!"


def random_labels(text: str) -> dict[int, str]:
    """A label for every position, by chance and yet the same for the same text."""
    names = ("O", "O", "COMMA", "PERIOD", "QUESTION")
    return {place: names[zlib.crc32(text[:place].encode()) % 5] for place in range(1, len(text) + 1)}


def without_inserted_marks(result: str, text: str) -> str | None:
    """`result` less the marks it has more than `text`; None if they differ otherwise, case aside."""
    kept, wanted = [], list(text)
    for character in result:
        if wanted and character.lower() == wanted[0].lower():
            kept.append(wanted.pop(0))
        elif character not in MARKS:
            return None
    return "".join(kept)


@pytest.mark.parametrize(
    ("language", "text", "words", "result"),
    [
        (
            "en",
            "yes i see what is your name",
            {"yes": "COMMA", "see": "PERIOD", "name": "QUESTION"},
            "Yes, I see. What is your name?",
        ),
        ("en", "i'm sorry and i am here", {"here": "PERIOD"}, "I'm sorry and I am here."),
        ("en", "customer service", {"custom": "COMMA"}, "Customer service"),
        (
            "ja",
            "はい少々お待ちくださいよろしいですか",
            {"はい": "COMMA", "ください": "PERIOD", "ですか": "QUESTION"},
            "はい、少々お待ちください。よろしいですか？",
        ),
        (
            "ko",
            "네 맞습니다 언제 오시나요",
            {"네": "COMMA", "니다": "PERIOD", "나요": "QUESTION"},
            "네, 맞습니다. 언제 오시나요?",
        ),
    ],
)
@pytest.mark.asyncio
async def test_marks_follow_the_words_the_model_says(  # noqa: PLR0917  pytest gives them by name
    made_up_server: MakeServer, after_words: AfterWords, language: str, text: str, words: dict[str, str], result: str
) -> None:
    punctuator = await Punctuator.from_server(made_up_server(labeller=after_words(words)))
    assert await punctuator.punctuate(text, language) == result


@pytest.mark.parametrize("text", ["Hello. how are you", "はい。そうです", "why? because", "", "   "])
@pytest.mark.asyncio
async def test_a_text_with_sentence_marks_is_left_alone(made_up_server: MakeServer, text: str) -> None:
    server = made_up_server(labeller=random_labels)
    punctuator = await Punctuator.from_server(server)
    asked = len(server.requests)
    assert await punctuator.punctuate(text, "en") == text
    assert len(server.requests) == asked


@pytest.mark.asyncio
async def test_a_decimal_point_is_no_sentence_mark(made_up_server: MakeServer, after_words: AfterWords) -> None:
    punctuator = await Punctuator.from_server(made_up_server(labeller=after_words({"euros": "PERIOD"})))
    assert await punctuator.punctuate("that is 3.50 euros", "en") == "That is 3.50 euros."


@pytest.mark.parametrize("language", ["en", "ja", "ko", "xx"])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet="ab I'é,-3はい가ßİ \u3099", max_size=120)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
)
def test_nothing_but_marks_and_case_ever_changes(made_up_server: MakeServer, language: str, text: str) -> None:
    async def punctuate() -> str:
        punctuator = await Punctuator.from_server(made_up_server(labeller=random_labels, max_length=24))
        return await punctuator.punctuate(text, language)

    assert without_inserted_marks(asyncio.run(punctuate()), text) == text


@pytest.mark.parametrize(("language", "word", "joint"), [("en", "well", " "), ("ja", "はい", ""), ("ko", "네", " ")])
@pytest.mark.asyncio
async def test_a_long_text_is_marked_throughout_in_pieces_the_model_can_take(
    made_up_server: MakeServer, after_words: AfterWords, language: str, word: str, joint: str
) -> None:
    server = made_up_server(labeller=after_words({word: "COMMA"}), max_length=40)
    punctuated = await (await Punctuator.from_server(server)).punctuate(joint.join([word] * 100), language)
    mark = {"en": ",", "ja": "、", "ko": ","}[language]
    assert punctuated.lower() == joint.join([word + mark] * 100)
    shapes = {request.inputs["input_ids"].shape for request in server.requests if request.model == "punctuate"}
    assert shapes <= {(1, 16), (1, 32), (1, 40)}


@pytest.mark.asyncio
async def test_a_word_longer_than_the_model_takes_is_marked_at_its_end(
    made_up_server: MakeServer, after_words: AfterWords
) -> None:
    server = made_up_server(labeller=after_words({"z": "PERIOD"}), max_length=20)
    text = "x" * 100 + "z"
    assert await (await Punctuator.from_server(server)).punctuate(text, "ko") == text + "."


@pytest.mark.asyncio
async def test_without_the_model_or_its_labels_the_error_says_so(made_up_server: MakeServer) -> None:
    with pytest.raises(ModelMissing, match="not punctuate"):
        await Punctuator.from_server(made_up_server(without=("punctuate",)))
    server = made_up_server()
    server._parameters["punctuate"] = dict(server._parameters["punctuate"], labels='["O", "COMMA"]')
    with pytest.raises(ContractMismatch, match="lack PERIOD, QUESTION"):
        await Punctuator.from_server(server)


def test_marks_are_not_doubled_nor_put_inside_words_or_after_spaces() -> None:
    labels = dict.fromkeys(range(1, 12), "PERIOD")
    assert insert_marks("ab, cd e", labels, "en") == "ab, cd. e."
    assert insert_marks("はい、え", labels, "ja") == "は。い、え。"


def test_only_english_is_capitalised() -> None:
    assert capitalise('hi. "so i said, i\'ll go. ok?"', "en") == 'Hi. "So I said, I\'ll go. Ok?"'
    assert capitalise("bonjour. i i", "fr") == "bonjour. i i"
