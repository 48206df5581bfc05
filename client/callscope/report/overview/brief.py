"""A call in the few figures that the page needs, read from its result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from callscope.call import QUALITY_RATIOS, SCHEMA_VERSION
from callscope.when import date_of


class NoResult(ValueError):
    """A document is no result of Callscope; the message says why, in half a sentence."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the page knows of a call. A figure that cannot be computed is None.

    Attributes:
        id: tells recordings apart; a recording analysed twice has it twice.
        source: the recording.
        date: when it took place by its metadata, else when it was analysed.
        created: when it was analysed.
        roles_known: whether somebody is known to be the agent, and somebody the customer.
        degraded: steps that fell back.
        link: the call's own page, as a reference in this one; None without one.
        figures: name -> value, in seconds and ratios; rates of speech are the agent's.
        metadata: whatever came with the call.
    """

    id: str
    source: str
    date: datetime
    created: datetime
    language: str | None
    roles_known: bool
    degraded: tuple[str, ...]
    link: str | None
    figures: Mapping[str, float | None]
    metadata: Mapping[str, str] = field(default_factory=dict)


def brief_of(document: bytes, link: str | None) -> Brief:
    """The brief of a result in JSON.

    Args:
        document: UTF-8 without byte order mark.
        link: the call's own page.

    Raises:
        NoResult: it is no JSON, of another schema, or lacks something.
    """
    try:
        result = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise NoResult(f"it is no JSON: {error}") from None
    return brief_from(result, link)


def brief_from(result: object, link: str | None = None) -> Brief:
    """The brief of a result that is read already.

    Args:
        result: a mapping as JSON has it.
        link: the call's own page.

    Raises:
        NoResult: it is of another schema, or lacks something.
    """
    if not isinstance(result, dict) or "schema_version" not in result:
        raise NoResult("it has no schema_version")
    version = result["schema_version"]
    if str(version).split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise NoResult(f"its schema_version is {version}, and this Callscope reads {SCHEMA_VERSION}")
    try:
        return _made(result, link)
    except KeyError as error:
        raise NoResult(f"{error} is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise NoResult(f"something in it is of another type: {error}") from None


def _made(result: Mapping[str, Any], link: str | None) -> Brief:
    call, processing, roles = result["call"], result["processing"], result["metrics"]["roles"]
    created = _time(processing["created_at"])
    return Brief(
        id=f"{call['id']} {call['sha256']}",
        source=_text(call["source"]),
        date=date_of(call["metadata"]) or created,
        created=created,
        language=None if call["language"] is None else _text(call["language"]),
        roles_known=roles["agent"] is not None and roles["customer"] is not None,
        degraded=tuple(map(_text, processing["degraded"])),
        link=link,
        figures={name: _figure(name, value) for name, value in _figures(result).items()},
        metadata={str(key): str(value) for key, value in call["metadata"].items()},
    )


def _figures(result: Mapping[str, Any]) -> Mapping[str, object]:
    metrics, quality = result["metrics"], result["quality"] or {}
    agent, customer = metrics["roles"]["agent"] or {}, metrics["roles"]["customer"] or {}
    agent_mood, customer_mood = agent.get("sentiment") or {}, customer.get("sentiment") or {}
    return {
        "duration": result["call"]["duration"],
        "agent_share": agent.get("share_of_speech"),
        "non_talk_share": metrics["non_talk"]["share_of_call"],
        "latency": (metrics["response_latency"] or {}).get("median"),
        "interruptions": metrics["interruptions"]["count"],
        "words_per_minute": agent.get("words_per_minute"),
        "characters_per_minute": agent.get("characters_per_minute"),
        "agent_sentiment": agent_mood.get("mean"),
        "customer_sentiment": customer_mood.get("mean"),
        "customer_trend": customer_mood.get("trend"),
        **{name: quality.get(name) for name in QUALITY_RATIOS},
    }


def _figure(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{name} is {value!r}")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    return time if time.tzinfo else time.replace(tzinfo=UTC)
