from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pytest

from callscope.analysis.tempering import mean_sentiment
from callscope.call import Sentence, Sentiment
from callscope.errors import ContractMismatch
from callscope.triton.fake import FakeTransport
from callscope.triton.sentiment import SentimentModel

MakeServer = Callable[..., FakeTransport]


@pytest.mark.parametrize(
    ("text", "label", "sign"), [("thank you", "positive", 1), ("it is broken", "negative", -1), ("hello", "neutral", 0)]
)
@pytest.mark.asyncio
async def test_labels_are_read_from_the_server_and_not_assumed(
    made_up_server: MakeServer, text: str, label: str, sign: int
) -> None:
    sentiment = await (await SentimentModel.from_server(made_up_server())).classify(text)
    assert sentiment.label == label
    assert sum(sentiment.probabilities.values()) == pytest.approx(1)
    assert sentiment.score == pytest.approx(sentiment.probabilities["positive"] - sentiment.probabilities["negative"])
    assert (sentiment.score > 0.5) - (sentiment.score < -0.5) == sign


@pytest.mark.parametrize(("characters", "bucket"), [(5, 16), (14, 16), (15, 32), (100, 128), (500, 128)])
@pytest.mark.asyncio
async def test_texts_go_in_length_buckets_and_are_cut_at_the_models_length(
    made_up_server: MakeServer, characters: int, bucket: int
) -> None:
    server = made_up_server()
    await (await SentimentModel.from_server(server)).classify("x" * characters)
    inputs = server.requests[-1].inputs
    assert inputs["input_ids"].shape == inputs["attention_mask"].shape == (1, bucket)
    assert inputs["input_ids"].dtype == inputs["attention_mask"].dtype == "int64"
    assert int(inputs["attention_mask"].sum()) == min(characters + 2, 128)
    assert set(inputs["input_ids"][inputs["attention_mask"] == 0].tolist()) <= {259}


@pytest.mark.asyncio
async def test_a_text_is_heard_after_what_was_said_before_unless_that_would_cut_it(made_up_server: MakeServer) -> None:
    server = made_up_server()
    model = await SentimentModel.from_server(server)
    for text, before in (("no", ""), ("no", "solved?"), ("no", "x" * 200)):
        await model.classify(text, before)
    counts = [int(request.inputs["attention_mask"].sum()) for request in server.requests[-3:]]
    assert counts == [4, 12, 4]


@pytest.mark.parametrize(
    "labels",
    [
        ("joy", "negative"),
        ("LABEL_0", "LABEL_1", "LABEL_2"),
        ("negative", "neutral"),
        ("positive", "neutral"),
        ("negative", "positive", "sarcastic"),
        (),
    ],
)
@pytest.mark.asyncio
async def test_labels_that_do_not_say_how_a_text_sounds_are_refused_by_name(
    made_up_server: MakeServer, labels: tuple[str, ...]
) -> None:
    with pytest.raises(ContractMismatch, match=f"its labels {', '.join(labels) or '.none.'} are not known as negative"):
        await SentimentModel.from_server(made_up_server(sentiments=labels))


@pytest.mark.parametrize(
    ("labels", "probabilities", "label", "score"),
    [
        (("NEG", "NEU", "POS"), (0.2, 0.1, 0.7), "positive", 0.5),
        (("부정", "긍정", "중립"), (0.2, 0.1, 0.7), "neutral", -0.1),
        (("ポジティブ", "ネガティブ"), (0.3, 0.7), "negative", -0.4),
        (("ﾈｶﾞﾃｨﾌﾞ", "中立", "ﾎﾟｼﾞﾃｨﾌﾞ"), (0.6, 0.3, 0.1), "negative", -0.5),
        (("1 star", "2 stars", "3 stars", "4 stars", "5 stars"), (0.05, 0.05, 0.2, 0.4, 0.3), "positive", 0.425),
        (
            ("Very_Negative", "negative", "neutral", "positive", "very-positive"),
            (0.3, 0.3, 0.4, 0, 0),
            "negative",
            -0.45,
        ),
    ],
)
@pytest.mark.asyncio
async def test_labels_by_other_names_and_of_finer_degrees_become_the_three(
    made_up_server: MakeServer, labels: tuple[str, ...], probabilities: tuple[float, ...], label: str, score: float
) -> None:
    logits = np.log(np.array([probabilities], np.float32) + 1e-9)
    server = made_up_server(sentiments=labels, answers={"sentiment": {"logits": logits}})
    sentiment = await (await SentimentModel.from_server(server)).classify("so it is")
    assert (sentiment.label, sentiment.score) == (label, pytest.approx(score, abs=1e-6))
    assert set(sentiment.probabilities) <= {"negative", "neutral", "positive"}
    assert sum(sentiment.probabilities.values()) == pytest.approx(1)


def test_each_known_name_says_one_thing() -> None:
    table = tomllib.loads(files("callscope.triton").joinpath("polarity.toml").read_text("utf-8"))
    assert [row["value"] for row in table["polarity"]] == [-2, -1, 0, 1, 2]
    names = [name for row in table["polarity"] for name in row["names"]]
    assert len(names) == len(set(names))


def test_a_segments_sentiment_weighs_its_sentences_by_length() -> None:
    good = Sentiment("positive", 0.8, {"negative": 0.1, "positive": 0.9})
    bad = Sentiment("negative", -0.8, {"negative": 0.9, "positive": 0.1})
    both = mean_sentiment([Sentence("abc", bad), Sentence("a", good), Sentence("unscored")])
    assert both is not None
    assert (both.label, both.score) == ("negative", pytest.approx(-0.4))
    assert both.probabilities == pytest.approx({"negative": 0.7, "positive": 0.3})
    assert mean_sentiment([Sentence("unscored")]) is None
