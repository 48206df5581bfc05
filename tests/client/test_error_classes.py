"""Every error of the project is explained, and the explanation is true."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from callscope.error_classes import error_classes

ROOT = Path(__file__).parents[2]
SOURCES = ("client", "preprocessing", "export", "server")
BASES = {"CallscopeError"}
"""What is never raised itself."""


def defined() -> set[str]:
    """The names of all classes in the sources that have an exit code, their own or a parent's."""
    classes = [
        (node.name, {base.id for base in node.bases if isinstance(base, ast.Name)}, ast.unparse(node))
        for source in SOURCES
        for file in (ROOT / source).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    names = {name for name, bases, text in classes if bases and "exit_code" in text}
    while more := {name for name, bases, _ in classes if bases & names} - names:
        names |= more
    return {name for name in names if not name.startswith("_")}


def test_every_error_of_the_sources_is_in_the_list() -> None:
    assert {one.name for one in error_classes()} == defined() - BASES


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.name)
def test_every_error_says_what_it_means_and_what_to_do(error: object) -> None:
    meaning, remedy = error.meaning, error.remedy  # type: ignore[attr-defined]  # an ErrorClass
    for sentence in (meaning, remedy):
        assert sentence[:1].isupper(), sentence
        assert sentence.endswith("."), sentence
    assert meaning != remedy


def test_what_is_tried_again_is_told_as_the_code_does_it() -> None:
    told = {one.name: one.retried for one in error_classes() if one.retried}
    assert told["ServerBusy"] == "each request"
    assert told["ServerTimeout"] == "each request"
    assert told["RemoteUnreachable"] == "each fetch"
    assert told["StoreUnreachable"] == "the store"
    assert not {"ModelMissing", "SettingsInvalid", "AudioCorrupt"} & set(told)


def test_the_options_that_remedies_name_exist() -> None:
    source = (ROOT / "client" / "callscope" / "settings.py").read_text(encoding="utf-8")
    flags = {
        "--aside",
        "--engine",
        "--ray-address",
        "--store",
        "--server",
        "--diarize",
        "--repository",
        "--language",
        "--log-format",
    }
    for error in error_classes():
        for word in error.remedy.replace(",", " ").replace(".", " ").replace(";", " ").split():
            if word.startswith("--") and word not in flags:
                assert word[2:].replace("-", "_") + ":" in source, f"{error.name} names {word}"
