from __future__ import annotations

from collections.abc import Callable

import pytest

from callscope.call import Sentence, Sentiment
from callscope.errors import ContractMismatch
from callscope.triton.fake import FakeTransport
from callscope.triton.sentiment import SentimentModel, mean_sentiment

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
async def test_a_classifier_of_something_else_is_refused(made_up_server: MakeServer) -> None:
    server = made_up_server()
    server._parameters["sentiment"] = dict(server._parameters["sentiment"], labels='["joy", "negative"]')
    with pytest.raises(ContractMismatch, match="lack positive"):
        await SentimentModel.from_server(server)


def test_a_segments_sentiment_weighs_its_sentences_by_length() -> None:
    good = Sentiment("positive", 0.8, {"negative": 0.1, "positive": 0.9})
    bad = Sentiment("negative", -0.8, {"negative": 0.9, "positive": 0.1})
    both = mean_sentiment([Sentence("abc", bad), Sentence("a", good), Sentence("unscored")])
    assert both is not None
    assert (both.label, both.score) == ("negative", pytest.approx(-0.4))
    assert both.probabilities == pytest.approx({"negative": 0.7, "positive": 0.3})
    assert mean_sentiment([Sentence("unscored")]) is None
