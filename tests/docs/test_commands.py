"""What the pages tell a reader to type exists: commands, their options, make's verbs, the files that are linked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from callscope.cli import app

from .markdown import ROOT, guides, inline_code, name_of, pages, relative_links, typed_lines

PLACEHOLDER = re.compile(r"[A-Z_]{2,}…?|…|\.\.\.")
OPTION = re.compile(r"--[a-z][a-z-]+")
PROGRAM = re.compile(r"(?:\S*/)?callscope$")
MAKE = re.compile(r"^make ([a-z][a-z-]*)")


def command() -> Any:
    """The command line as click knows it."""
    return typer.main.get_command(app)


def parse(arguments: Sequence[str]) -> None:
    """Parse a command line without running it; what the parser does not know is an error."""
    verb, context = command(), None
    rest = list(arguments)
    while True:
        context = verb.make_context(verb.name or "callscope", rest, parent=context)
        if not hasattr(verb, "commands"):
            return
        rest = [*context._protected_args, *context.args]
        if not rest and verb.invoke_without_command:
            return
        _, verb, rest = verb.resolve_command(context, rest)


def split(line: str) -> list[str]:
    """The words after `callscope`, up to a comment or another command; none where the line runs something else."""
    words = shlex.split(line, comments=True)
    for end in ("|", "&&", ";", ">", "2>", "&"):
        words = words[: words.index(end)] if end in words else words
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    return words[1:] if words and PROGRAM.search(words[0]) else []


TYPED = [(name_of(page), line) for page in guides() for line in typed_lines(page) if split(line)]
MENTIONED = [(name_of(page), code) for page in guides() for code in inline_code(page) if code.startswith("callscope ")]


@pytest.mark.parametrize(("page", "line"), TYPED)
def test_every_command_that_is_typed_parses(page: str, line: str) -> None:
    parse(split(line))


@pytest.mark.parametrize(("page", "code"), MENTIONED)
def test_every_command_that_is_mentioned_has_its_verb_and_options(page: str, code: str) -> None:
    verb: Any = command()
    words = code.split()[1:]
    while words and hasattr(verb, "commands") and not PLACEHOLDER.fullmatch(words[0]) and not words[0].startswith("-"):
        names = words.pop(0).split("|")
        assert set(names) <= set(verb.commands), f"{page} mentions {code}"
        verb = verb.commands[names[0]]
    known = {name for option in verb.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    assert set(OPTION.findall(" ".join(words))) <= known, f"{page} mentions {code}"


def test_options_named_alone_exist_somewhere() -> None:
    known = {"--help"} | {name for verb in _verbs(command()) for option in verb.params for name in option.opts}
    named = {
        (name_of(page), code) for page in guides() for code in inline_code(page) if OPTION.fullmatch(code.split()[0])
    }
    ours = {(page, code) for page, code in named if page.startswith("README") or page.startswith("docs/")}
    assert {(page, code) for page, code in ours if code.split()[0] not in known} == set()


def _verbs(verb: Any) -> list[Any]:
    return [verb, *(found for child in getattr(verb, "commands", {}).values() for found in _verbs(child))]


def test_every_verb_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        (name_of(page), match[1])
        for page in pages()
        for code in (*typed_lines(page), *inline_code(page))
        if (match := MAKE.match(code))
    }
    assert {"demo", "test"} <= {verb for _, verb in named}
    assert {(page, verb) for page, verb in named if verb not in targets} == set()


def test_every_verb_that_make_declares_is_defined() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert declared
    assert set(declared[1].split()) == set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_to_a_file_of_the_project_leads_somewhere(page: Path) -> None:
    assert [target for target in relative_links(page) if not (page.parent / target).exists()] == []
