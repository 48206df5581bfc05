"""A call as rows, and back."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any

import orjson

from callscope.call import QUALITY_RATIOS, Call, Quality
from callscope.errors import StoreDamaged
from callscope.report.json import write_line
from callscope.store.grams import fold, grams
from callscope.when import date_of

LEVEL = 1
"""zlib's: the fastest; JSON shrinks to a fifth at it, and to a sixth at the default."""

Row = dict[str, Any]


def call_row(call: Call) -> Row:
    """The row of `calls`, without its number."""
    recording, processing = call.recording, call.processing
    created_at = datetime.fromisoformat(processing.created_at)
    return {
        "sha256": recording.sha256,
        "id": recording.id,
        "source": recording.source,
        "dated_at": date_of(recording.metadata) or created_at,
        "created_at": created_at,
        "version": processing.version,
        "duration_s": recording.duration_s,
        "language": recording.language,
        "degraded": ",".join(processing.degraded),
        "attributes": dict(recording.metadata),
        **_figures(call),
    }


def packed(call: Call) -> bytes:
    """The whole result as compressed JSON."""
    return zlib.compress(write_line(call).encode(), LEVEL)


def segment_rows(call: Call) -> list[Row]:
    """The rows of `segments`, without the number of the call, each with the pairs of its text."""
    roles = {speaker.id: speaker.role for speaker in call.speakers}
    return [
        {
            "id": segment.id,
            "start_s": segment.start_s,
            "end_s": segment.end_s,
            "speaker": segment.speaker,
            "role": roles[segment.speaker],
            "sentiment": segment.sentiment.score if segment.sentiment else None,
            "text": segment.text,
            "grams": grams(fold(segment.text)),
        }
        for segment in call.segments
    ]


def unpack(data: bytes, call: str) -> dict[str, Any]:
    """The result that `packed` was given.

    Args:
        data: what that made.
        call: which one, for the error.

    Raises:
        StoreDamaged: it is not that any more.
    """
    try:
        result = orjson.loads(zlib.decompress(data))
    except (zlib.error, ValueError) as error:
        raise StoreDamaged(call, str(error)) from error
    if not isinstance(result, dict):
        raise StoreDamaged(call, "it is no object of JSON")
    return result


def _figures(call: Call) -> Row:
    metrics, quality = call.metrics, call.quality or Quality()
    agent, customer = metrics.roles.agent, metrics.roles.customer
    latency = metrics.response_latency
    return {
        "agent_share": agent.share_of_speech if agent else None,
        "non_talk_s": metrics.non_talk.total_s,
        "non_talk_share": metrics.non_talk.share_of_call,
        "latency_s": latency.median_s if latency else None,
        "interruptions": metrics.interruptions.count,
        "agent_sentiment": agent.sentiment.mean if agent and agent.sentiment else None,
        "customer_sentiment": customer.sentiment.mean if customer and customer.sentiment else None,
        "customer_trend": customer.sentiment.trend if customer and customer.sentiment else None,
        **{name: getattr(quality, name) for name in QUALITY_RATIOS},
    }
