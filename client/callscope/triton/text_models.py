"""The served models that work on words, whoever wrote them down."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from callscope.call import Model
from callscope.errors import ContractMismatch, ModelMissing, ServerUnreachable, TritonError
from callscope.steps import Record
from callscope.triton import punctuator, sentiment
from callscope.triton.punctuator import Punctuator
from callscope.triton.sentiment import SentimentModel
from callscope.triton.text_model import TextModel
from callscope.triton.transcriber import WhisperModel
from callscope.triton.transport import Transport

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class TextModels:
    """The models that work on words; None for one that is not at hand or not needed."""

    punctuator: Punctuator | None = None
    sentiment: SentimentModel | None = None

    def described(self) -> Mapping[str, Model]:
        """What each is used for -> the model, as the server describes it."""
        used = {}
        if self.punctuator:
            used["punctuation"] = described(punctuator.MODEL, self.punctuator.model)
        if self.sentiment:
            used["sentiment"] = described(sentiment.MODEL, self.sentiment.model)
        return used


async def load_text_models(transport: Transport, record: Record) -> TextModels:
    """Ask the server for them; the record notes those that it lacks as skipped steps, others as failed ones.

    Raises:
        ServerUnreachable: nobody answers.
        ContractMismatch: a model is not what this client expects.
    """
    return TextModels(
        await _load_optional("punctuate", Punctuator.from_server(transport), record),
        await _load_optional("sentiment", SentimentModel.from_server(transport), record),
    )


async def _load_optional(step: str, loading: Awaitable[Loaded], record: Record) -> Loaded | None:
    try:
        return await loading
    except (ContractMismatch, ServerUnreachable):
        raise
    except ModelMissing as error:
        record.skip(step, str(error))
    except TritonError as error:
        record.fail(step, str(error))
    return None


def described(name: str, model: WhisperModel | TextModel) -> Model:
    """A served model as results name it."""
    return Model(name, model.version, model.precision, model.source, model.revision)
