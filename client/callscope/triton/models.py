"""The served models that take part in the analysis of a call."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from callscope.call import Model
from callscope.errors import ContractMismatch, ModelMissing, TritonError
from callscope.steps import Record
from callscope.triton import punctuator, sentiment
from callscope.triton.punctuator import Punctuator
from callscope.triton.sentiment import SentimentModel
from callscope.triton.text_model import TextModel
from callscope.triton.transcriber import Transcriber, WhisperModel
from callscope.triton.transport import Transport

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class Models:
    """The models of one server; None for one that it lacks and that a call can do without."""

    transcriber: Transcriber
    punctuator: Punctuator | None
    sentiment: SentimentModel | None

    def described(self) -> Mapping[str, Model]:
        """What each is used for -> the model, as the server describes it."""
        used = {"asr": _model(self.transcriber.name, self.transcriber.model)}
        if self.punctuator:
            used["punctuation"] = _model(punctuator.MODEL, self.punctuator.model)
        if self.sentiment:
            used["sentiment"] = _model(sentiment.MODEL, self.sentiment.model)
        return used


async def load_models(transport: Transport, record: Record) -> Models:
    """Ask the server for its models; the record notes those that it lacks as skipped steps, others as failed ones.

    Raises:
        TritonError: it does not serve the recogniser, or fails to say what it is.
        ContractMismatch: a model is not what this client expects.
    """
    with record.step("models"):
        recogniser = await Transcriber.from_server(transport)
    return Models(
        recogniser,
        await _load_optional("punctuate", Punctuator.from_server(transport), record),
        await _load_optional("sentiment", SentimentModel.from_server(transport), record),
    )


async def _load_optional(step: str, loading: Awaitable[Loaded], record: Record) -> Loaded | None:
    try:
        return await loading
    except ContractMismatch:
        raise
    except ModelMissing as error:
        record.skip(step, str(error))
    except TritonError as error:
        record.fail(step, str(error))
    return None


def _model(name: str, model: WhisperModel | TextModel) -> Model:
    return Model(name, model.version, model.precision, model.source, model.revision)
