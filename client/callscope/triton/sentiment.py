"""How a text sounds, from the served classifier."""

from __future__ import annotations

from collections.abc import Sequence

from callscope.call import Sentiment
from callscope.errors import ContractMismatch
from callscope.triton.polarity import polarities, side
from callscope.triton.text_model import TextModel, encode, fetch_logits, fetch_text_model, softmax
from callscope.triton.transport import Transport

MODEL = "sentiment"


class SentimentModel:
    """Asks the served classifier how texts sound; calls made together are batched by Triton.

    Args:
        transport: to the server.
        model: the served classifier.
        polarity: of each of its labels, -1 to 1.
    """

    def __init__(self, transport: Transport, model: TextModel, polarity: Sequence[float]) -> None:
        self._transport = transport
        self.model = model
        self._polarity = tuple(polarity)

    @classmethod
    async def from_server(cls, transport: Transport) -> SentimentModel:
        """Read everything the client needs to know from the server.

        Raises:
            ModelMissing: the server serves no `sentiment`, or not its tokenizer.
            ContractMismatch: its labels do not say how a text sounds.
        """
        model = await fetch_text_model(transport, MODEL)
        polarity = polarities(model.labels)
        if polarity is None:
            raise ContractMismatch(
                transport.url,
                MODEL,
                f"its labels {', '.join(model.labels) or '(none)'} are not known as negative, neutral and positive "
                "(the checkpoint's config.json names them, in id2label)",
            )
        return cls(transport, model, polarity)

    async def classify(self, text: str, before: str = "") -> Sentiment:
        """How `text` sounds; what exceeds the model's length is not heard.

        It is heard after `before` where both are within that length.
        """
        logits = await fetch_logits(self._transport, self.model, encode(self.model, self._heard(text, before)))
        pairs = list(zip(self._polarity, softmax(logits)[0].tolist(), strict=True))
        probabilities = dict.fromkeys(map(side, self._polarity), 0.0)
        for polarity, probability in pairs:
            probabilities[side(polarity)] += probability
        return _sentiment(probabilities, sum(polarity * probability for polarity, probability in pairs))

    def _heard(self, text: str, before: str) -> str:
        if not before:
            return text
        both = f"{before} {text}"
        return both if len(self.model.tokenizer.encode(both).ids) <= self.model.max_length else text


def _sentiment(probabilities: dict[str, float], score: float) -> Sentiment:
    return Sentiment(max(probabilities, key=probabilities.__getitem__), score, probabilities)
