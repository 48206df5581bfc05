"""What can go wrong in an export.

ExportError
├── CheckpointInvalid        the source folder does not hold what an export needs
│   ├── CheckpointMissing    there is no such folder, and the hub did not give one
│   └── CheckpointUnsupported   a kind of model, or a setting of one, that no graph here covers, or not without an extra
├── ProfileInvalid           a profile or a precision that does not exist or does not parse
├── RecipeInvalid            the TOML file of `export_all` cannot be used
├── LanguageUnknown          the checkpoint does not know a language that is to be served
├── EvaluationImpossible     the recordings and texts of an evaluation cannot be used
├── PartMissing              an optional part of the exporter is not installed
├── RepositoryUnwritable     the model repository cannot be written
├── NothingBefore            the model repository remembers no earlier export
├── ParityFailed             the graphs do not say what the checkpoint says
└── EvaluationFailed         the graphs err more than the checkpoint
"""

from typing import ClassVar


class ExportError(Exception):
    """Base of every error an export raises; `str(error)` is the whole message for the user.

    What to do: correct what the message names, and export again.
    """

    exit_code: ClassVar[int] = 5


class CheckpointInvalid(ExportError):
    """The source folder does not hold what an export needs."""


class CheckpointMissing(CheckpointInvalid):
    """There is no such folder, and the hub did not give one.

    What to do: correct the folder or hub id, or fetch the checkpoint first.
    """


class CheckpointUnsupported(CheckpointInvalid):
    """A kind of model, or a setting of one, that no graph here covers, or not without an extra.

    What to do: choose a checkpoint of a kind that the message names, or install the extra `optimum`.
    """


class ProfileInvalid(ExportError):
    """A profile or a precision that does not exist or does not parse."""

    exit_code = 2


class RecipeInvalid(ExportError):
    """The TOML file of `export_all` cannot be used."""

    exit_code = 2


class LanguageUnknown(ExportError):
    """The checkpoint does not know a language that is to be served."""

    exit_code = 2


class EvaluationImpossible(ExportError):
    """The recordings and texts of an evaluation cannot be used."""

    exit_code = 2


class PartMissing(ExportError):
    """An optional part of the exporter is not installed.

    What to do: install the extra that the message names.
    """

    exit_code = 6


class RepositoryUnwritable(ExportError):
    """The model repository cannot be written.

    What to do: see that --repository names a folder that you may write, with room in it.
    """


class NothingBefore(ExportError):
    """The model repository remembers no earlier export.

    What to do: export before you go back.
    """


class ParityFailed(ExportError):
    """The graphs do not say what the checkpoint says.

    What to do: choose another precision, or report it with what the message says; nothing was published.
    """


class EvaluationFailed(ExportError):
    """The graphs err more than the checkpoint.

    What to do: choose another precision; nothing was published.
    """
