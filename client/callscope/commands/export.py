"""`callscope export`: checkpoints into the model repository. The exporter is an extra, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from callscope.checkout import model_repository
from callscope.commands.options import LOG, with_settings
from callscope.errors import ExtraMissing, SettingsInvalid
from callscope.settings import Loaded, Settings
from callscope.telemetry import STDERR, say

app = typer.Typer(
    help="Export checkpoints to the model repository.\n\nThey become ONNX graphs that Triton serves.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="A hub id (openai/whisper-small) or a folder in its layout.")
]
Profile = Annotated[str, typer.Option(help="How it is served: cpu, gpu, or a TOML file like theirs.")]
Precision = Annotated[
    str | None,
    typer.Option(
        help="int8: weights and activations of matrices in 8 bits, the rest in fp32, for CPUs. fp16: all in half "
        "precision but the spectrogram, for GPUs. w8a16: fp16 with the decoder's weights in 8 bits, for GPUs. fp32: as "
        "exact as it gets, twice the size of fp16. [the profile's own: int8 for cpu, fp16 for gpu]"
    ),
]
Revision = Annotated[str | None, typer.Option(help="The hub's branch, tag or commit.")]
Gpus = Annotated[str, typer.Option(metavar="0,1", help="The GPUs that serve, by their numbers. [all]")]
Languages = Annotated[
    str,
    typer.Option(
        metavar="ja,ko,en", help="The languages that are detected and served. [all that the checkpoint knows]"
    ),
]
Evaluate = Annotated[
    Path | None,
    typer.Option(
        "--eval",
        metavar="DIR",
        readable=False,
        help="Transcribe the recordings of a folder, LANGUAGE/NAME.wav or .flac with their text in NAME.txt, and "
        "refuse the export where it errs by half a point more than the checkpoint in any language.",
    ),
]
Parity = Annotated[
    Literal["auto", "require", "off"],
    typer.Option(help="Compare with transformers before anything is published; auto: where it is installed."),
]
Instances = Annotated[
    int | None,
    typer.Option(min=1, help="Instances of each model: in all on CPUs, on each GPU otherwise. [the profile's own: 1]"),
]


@app.command()
@with_settings("repository", *LOG)
def whisper(
    loaded: Loaded,
    source: Source,
    *,
    profile: Profile = "cpu",
    precision: Precision = None,
    revision: Revision = None,
    gpus: Gpus = "",
    instances: Instances = None,
    languages: Languages = "",
    parity: Parity = "auto",
    evaluate: Evaluate = None,
) -> None:
    """Export a Whisper checkpoint.

    It becomes transcribe and transcribe_words, with their graphs and their tokenizer.
    """
    options: dict[str, Any] = {"profile": profile, "precision": precision, "revision": revision, "parity": parity}
    options |= {"instances": instances, "languages": _parts(languages), "evaluate": evaluate}
    _export(loaded.settings, "export_whisper", source, gpus=_numbers(gpus), **options)


@app.command()
@with_settings("repository", *LOG)
def punctuation(
    loaded: Loaded,
    source: Source,
    *,
    profile: Profile = "cpu",
    precision: Precision = None,
    revision: Revision = None,
    gpus: Gpus = "",
    instances: Instances = None,
    parity: Parity = "auto",
) -> None:
    """Export a token classifier as `punctuate`.

    Its tokenizer becomes `punctuate_tokenizer`. Its labels name the mark after a token: COMMA, PERIOD, QUESTION or the
    marks themselves, as `client/callscope/triton/marks.toml` lists them. Architectures other than BERT take the extra
    `optimum`. A folder with a graph of four heads, its SentencePiece model and config.yaml is taken as it is.
    """
    options = {"profile": profile, "precision": precision, "revision": revision, "instances": instances}
    _export(
        loaded.settings, "export_classifier", source, name="punctuate", gpus=_numbers(gpus), parity=parity, **options
    )


@app.command()
@with_settings("repository", *LOG)
def sentiment(
    loaded: Loaded,
    source: Source,
    *,
    profile: Profile = "cpu",
    precision: Precision = None,
    revision: Revision = None,
    gpus: Gpus = "",
    instances: Instances = None,
    parity: Parity = "auto",
) -> None:
    """Export a text classifier as `sentiment`.

    Its tokenizer becomes `sentiment_tokenizer`. Its labels say how a text sounds: negative to positive, 1 to 5 stars.
    Architectures other than BERT take the extra `optimum`.
    """
    options = {"profile": profile, "precision": precision, "revision": revision, "instances": instances}
    _export(
        loaded.settings, "export_classifier", source, name="sentiment", gpus=_numbers(gpus), parity=parity, **options
    )


@app.command(name="all")
@with_settings("repository", *LOG)
def everything(
    loaded: Loaded,
    recipe: Annotated[Path, typer.Option(readable=False, help="A TOML file with a table for each export.")],
    *,
    profile: Annotated[str | None, typer.Option(help="cpu or gpu, instead of the recipe's.")] = None,
) -> None:
    """Run every export of a recipe.

    They go into --repository, else the recipe's own `repository`, else model_repository beside the recipe.
    """
    exporter = _exporter()
    with STDERR.status("Exporting …") as status:
        reports = exporter.export_all(
            recipe, repository=loaded.settings.repository, profile=profile, progress=status.update
        )
    _show(reports)


@app.command()
@with_settings("repository", *LOG)
def rollback(loaded: Loaded) -> None:
    """Serve again what was served before the last export.

    Once more undoes it. A running server takes it up when it is restarted.
    """
    repository = model_repository(loaded.settings)
    for model in _exporter().roll_back(repository):
        typer.echo(model)
    say(f"Rolled back: {repository}")


def _export(settings: Settings, export: str, source: str, **options: Any) -> None:  # noqa: ANN401  passed on
    exporter = _exporter()
    place = Path(source)
    with STDERR.status("Exporting …") as status:
        report = getattr(exporter, export)(
            place if place.is_dir() else source, model_repository(settings), progress=status.update, **options
        )
    _show([report])


def _show(reports: Sequence[Any]) -> None:
    for report in reports:
        compared = ", compared with the checkpoint" if report.compared else ""
        about = f"{report.source} at {report.revision}, {report.precision}, profile {report.profile}{compared}"
        say(f"{about}: {report.repository}")
        for note in report.notes:
            say(f"Note: {note}.")
        _show_rates(report.evaluation)
        for model in report.models:
            typer.echo(model.name)


def _show_rates(evaluation: Any) -> None:  # noqa: ANN401  the exporter is not imported here
    for rate in evaluation.rates if evaluation else ():
        say(
            f"{rate.language}: {rate.metric.upper()} {rate.exported:.1%} on {rate.recordings} recordings; "
            f"{evaluation.reference}: {rate.reference:.1%}"
        )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> tuple[int, ...]:
    if odd := [part for part in _parts(text) if not part.isdecimal()]:
        raise SettingsInvalid(f"{odd[0]!r} is no GPU. Give their numbers with commas between them: --gpus 0,1")
    return tuple(int(part) for part in _parts(text))


def _exporter() -> Any:  # noqa: ANN401  a module
    try:
        return import_module("callscope_export")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("callscope"):
            raise
        raise ExtraMissing(f"`callscope export` ({error.name} is missing)", "export") from error
