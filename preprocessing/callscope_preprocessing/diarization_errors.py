"""What can keep speakers from being told apart.

    DiarizationError
    ├── EngineMissing       the package of the engine asked for is not installed, or does not load
    ├── ModelRefused        the hub gives the model to nobody without an accepted licence and a token
    ├── ModelUnreachable    the hub does not answer, and the model is not on this machine
    ├── EngineFailed        the engine was loaded, and failed on the call: no memory, a GPU that is gone
    ├── ModelWrong          a folder or a hub id that holds no diarization pipeline
    └── VoicesUnavailable   the light engine's networks are not here: it does without them

`str(error)` is two sentences for the user: what happened, and what to do; of VoicesUnavailable it is a clause, part of
`Diarization.degraded`.
"""

from __future__ import annotations

from typing import ClassVar


class DiarizationError(RuntimeError):
    """Speakers cannot be told apart as was asked.

    What to do: choose another engine with --diarize, or off.
    """

    exit_code: ClassVar[int] = 2


class EngineMissing(DiarizationError):
    """The engine's package is not there.

    What to do: install the extra that the message names, or choose another engine with --diarize.
    """


class EngineFailed(DiarizationError):
    """The engine was loaded, and failed on the call."""


class ModelRefused(DiarizationError):
    """The model needs an accepted licence and a token.

    What to do: accept the model's licence on its page and give a token in HF_TOKEN, or name a folder in
    --diarization-model.
    """


class ModelUnreachable(DiarizationError):
    """The model is not here, and the hub is out of reach.

    What to do: see that the hub can be reached, or name a folder in --diarization-model.
    """


class ModelWrong(DiarizationError):
    """What was named is no diarization pipeline.

    What to do: correct --diarization-model.
    """


class VoicesUnavailable(DiarizationError):
    """The networks of the light engine are not here."""
