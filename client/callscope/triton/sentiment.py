"""How a text sounds, from the served classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callscope.call import Sentence, Sentiment
from callscope.errors import ContractMismatch
from callscope.triton.text_model import TextModel, encode, fetch_text_model, softmax
from callscope.triton.transport import Transport

MODEL = "sentiment"
POSITIVE, NEGATIVE = "positive", "negative"


class SentimentModel:
    """Asks the served classifier how texts sound; calls made together are batched by Triton."""

    def __init__(self, transport: Transport, model: TextModel) -> None:
        self._transport = transport
        self.model = model
        self._labels = [label.lower() for label in model.labels]

    @classmethod
    async def from_server(cls, transport: Transport) -> SentimentModel:
        """Read everything the client needs to know from the server.

        Raises:
            ModelMissing: the server serves no `sentiment`, or not its tokenizer.
            ContractMismatch: its labels have no positive or no negative.
        """
        model = await fetch_text_model(transport, MODEL)
        if missing := {POSITIVE, NEGATIVE} - {label.lower() for label in model.labels}:
            raise ContractMismatch(transport.url, MODEL, f"its labels {model.labels} lack {' and '.join(missing)}")
        return cls(transport, model)

    async def classify(self, text: str) -> Sentiment:
        """How `text` sounds; what exceeds the model's length is not heard."""
        answer = await self._transport.infer(MODEL, encode(self.model, text).inputs)
        probabilities = dict(zip(self._labels, softmax(answer["logits"])[0].tolist(), strict=True))
        return _sentiment(probabilities)


def mean_sentiment(sentences: Sequence[Sentence]) -> Sentiment | None:
    """The sentiment of sentences together: the mean of their probabilities, each weighted by its characters.

    None when none of them has a sentiment.
    """
    scored = [(len(sentence.text), sentence.sentiment) for sentence in sentences if sentence.sentiment]
    total = sum(weight for weight, _ in scored)
    if not total:
        return None
    labels = scored[0][1].probabilities
    return _sentiment({label: sum(w * s.probabilities[label] for w, s in scored) / total for label in labels})


def _sentiment(probabilities: Mapping[str, float]) -> Sentiment:
    return Sentiment(
        label=max(probabilities, key=probabilities.__getitem__),
        score=probabilities[POSITIVE] - probabilities[NEGATIVE],
        probabilities=probabilities,
    )
