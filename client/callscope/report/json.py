"""The result as JSON, by the contract of `call.schema.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson

from callscope.call import Call
from callscope.report.times import floor_ms

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RATIO_DIGITS = 6
PLAIN = frozenset((str, int, bool, type(None)))
"""Types whose values are JSON already."""
_RENAMED = {"recording": "call"}
_UNITS = ("_s", "_hz")


def to_json(call: Call) -> dict[str, Any]:
    """The call as plain values: seconds with 3 decimals, never past the call's end; None where nothing is known."""
    value = _plain_fields(call)
    return {"schema_version": value.pop("schema_version")} | value


def write(call: Call) -> str:
    """The call as an indented JSON document, non-ASCII text as it is."""
    return _document(to_json(call), orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_line(call: Call) -> str:
    """The same document on one line, as JSON Lines has it."""
    return _document(to_json(call), orjson.OPT_APPEND_NEWLINE)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every result satisfies."""
    loaded: dict[str, Any] = json.loads(files("callscope.report").joinpath("call.schema.json").read_text("utf-8"))
    return loaded


def _document(value: object, option: int) -> str:
    try:
        return orjson.dumps(value, option=option).decode()
    except TypeError:  # a lone surrogate, which no UTF-8 file can hold
        return orjson.dumps(_in_utf8(value), option=option).decode()


def _in_utf8(value: Any) -> Any:  # noqa: ANN401  any JSON
    """The value with U+FFFD where a text has a lone surrogate."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_in_utf8(item) for item in value]
    if isinstance(value, dict):
        return {_in_utf8(key): _in_utf8(item) for key, item in value.items()}
    return value


def _plain_fields(value: DataclassInstance) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field, name, is_time in _fields(type(value)):
        item = getattr(value, field)
        plain[name] = item if type(item) in PLAIN else _plain(item, is_time=is_time)
    return plain


@cache
def _fields(kind: type[DataclassInstance]) -> tuple[tuple[str, str, bool], ...]:
    """Of each field its name, its name in JSON, and whether it is a time."""
    return tuple((field.name, _name(field.name), _is_time(field.name)) for field in fields(kind))


def _plain(value: Any, *, is_time: bool = False) -> object:  # noqa: ANN401  whatever a result holds
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no form in JSON.")
        return floor_ms(value) if is_time else round(value, RATIO_DIGITS)
    if isinstance(value, tuple | list):
        return [item if type(item) in PLAIN else _plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {key: item if type(item) in PLAIN else _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (str, int)):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON.")


def _name(field: str) -> str:
    for unit in _UNITS:
        field = field.removesuffix(unit)
    return _RENAMED.get(field, field)


def _is_time(field: str) -> bool:
    return field.endswith(("_s", "seconds"))
