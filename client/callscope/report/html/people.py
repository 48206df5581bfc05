"""Who the speakers are on the page: what they are called and how they look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callscope.analysis.measures import Party
from callscope.call import Call, Role, Speaker
from callscope.report.html.phrases import Phrase, phrase

_LOOKS: Mapping[Role, str] = {"agent": "is-agent", "customer": "is-customer", "unknown": "is-other"}


@dataclass(frozen=True, slots=True)
class Person:
    """A column of the measures: one speaker, or all speakers of one role. `look` is a class of the style sheet."""

    name: Phrase
    look: str
    party: Party


def names(call: Call) -> dict[str, Phrase]:
    """Speaker id -> the role; with the id where several have the role, the id alone where it is unknown."""
    roles = [speaker.role for speaker in call.speakers]
    return {speaker.id: _name(speaker, shared=roles.count(speaker.role) > 1) for speaker in call.speakers}


def looks(call: Call) -> dict[str, str]:
    """Speaker id -> class of the style sheet. Where no role is known the first two get colours of their own."""
    if any(speaker.role != "unknown" for speaker in call.speakers):
        return {speaker.id: _LOOKS[speaker.role] for speaker in call.speakers}
    order = ("is-agent", "is-customer")
    return {speaker.id: order[at] if at < len(order) else "is-other" for at, speaker in enumerate(call.speakers)}


def people(call: Call) -> tuple[Person, ...]:
    """The agent, the customer, and every speaker whose role is unknown."""
    look, name, metrics = looks(call), names(call), call.metrics
    roles: dict[Role, Party | None] = {"agent": metrics.roles.agent, "customer": metrics.roles.customer}
    known = [Person(phrase(f"role.{role}"), _LOOKS[role], party) for role, party in roles.items() if party]
    others = [
        Person(name[speaker.id], look[speaker.id], metrics.speakers[speaker.id])
        for speaker in call.speakers
        if speaker.role == "unknown"
    ]
    return (*known, *others)


def _name(speaker: Speaker, *, shared: bool) -> Phrase:
    if speaker.role == "unknown":
        return phrase("role.numbered", id=speaker.id)
    role = phrase(f"role.{speaker.role}")
    return phrase("role.shared", role=role, id=speaker.id) if shared else role
