"""The table of `callscope models`."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from callscope.commands.models import _fitting_table
from callscope.served import ModelDescription

ONE = "grpc://one:8001"
MODELS = (
    ModelDescription(ONE, "sentiment_tokenizer", "1", "READY", "onnxruntime", None, "sentiment", 4, 4, 15.9),
    ModelDescription(ONE, "whisper_decoder", "1", "READY", "onnxruntime", "int8", "recogniser", 129, 32, 1172.7),
    ModelDescription(ONE, "sentiment", "2", "UNAVAILABLE unloaded"),
)


def shown(width: int, models: tuple[ModelDescription, ...] = MODELS) -> str:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(_fitting_table(models, console))
    return console.export_text()


def test_everything_is_shown_where_there_is_room() -> None:
    lines = shown(200).splitlines()
    assert lines[1].split() == [
        "Model", "Version", "Kind", "State", "Precision", "Source", "Inputs", "Runs", "Mean", "ms",
    ]  # fmt: skip
    assert "whisper_decoder       1         onnxruntime   READY" in shown(200)
    assert "UNAVAILABLE unloaded" in shown(200)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_narrow_terminal_gets_fewer_columns_and_no_torn_names(width: int) -> None:
    text = shown(width, MODELS[:2])
    assert len(text.splitlines()) == 3 + len(MODELS[:2]) + 1
    assert "sentiment_tokenizer" in text
    assert "1172.7" in text
    assert ("Version" in text) == (width >= 120)


def test_the_server_is_told_where_there_are_several() -> None:
    several = (MODELS[0], replace(MODELS[0], server="grpc://two:8001"))
    assert "grpc://two:8001" in shown(200, several)
    assert ONE not in shown(200)
