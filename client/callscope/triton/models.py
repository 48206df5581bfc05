"""The served models that take part in the analysis of a recorded call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callscope.call import Model
from callscope.steps import Record
from callscope.triton.text_models import TextModels, described, load_text_models
from callscope.triton.transcriber import Transcriber
from callscope.triton.transport import Transport


@dataclass(frozen=True, slots=True)
class Models:
    """The models of one server."""

    transcriber: Transcriber
    text: TextModels

    def described(self) -> Mapping[str, Model]:
        """What each is used for -> the model, as the server describes it."""
        return {"asr": described(self.transcriber.name, self.transcriber.model), **self.text.described()}


async def load_models(transport: Transport, record: Record) -> Models:
    """Ask the server for its models; the record notes those that it lacks as skipped steps, others as failed ones.

    Raises:
        TritonError: it does not serve the recogniser, or fails to say what it is.
        ContractMismatch: a model is not what this client expects.
    """
    with record.step("models"):
        recogniser = await Transcriber.from_server(transport)
    return Models(recogniser, await load_text_models(transport, record))
