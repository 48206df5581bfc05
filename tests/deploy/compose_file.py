"""docker-compose.yml as Compose reads it, and its commands as they can run here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from loadtest.places import environment as environment_of_sources

from .running import ROOT

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@cache
def compose() -> dict[str, Any]:
    """The file, with every variable at its default."""
    text = VARIABLE.sub(lambda found: found[2], FILE.read_text(encoding="utf-8"))
    told: dict[str, Any] = yaml.safe_load(text)
    return told


def services() -> dict[str, dict[str, Any]]:
    """By name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def profiles() -> list[str]:
    """All that the services have."""
    return sorted({profile for service in services().values() for profile in service["profiles"]})


def mounts(service: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """Container path -> what is mounted there, and whether it can be written."""
    found = {}
    for volume in service.get("volumes", ()):
        source, target, *mode = volume.split(":")
        found[target] = (source, mode != ["ro"])
    return found


def here(text: str, places: Mapping[str, object]) -> str:
    """A word of a command, or a variable's value, with what it names in a container replaced."""
    for inside, outside in places.items():
        text = text.replace(inside, str(outside))
    return text


def command_here(name: str, places: Mapping[str, object]) -> list[str]:
    """The command of a service, as it can run here."""
    return [here(str(word), places) for word in services()[name]["command"]]


def environment_here(name: str, places: Mapping[str, object]) -> dict[str, str]:
    """This process's environment, the clone's sources, and the service's own."""
    told = {key: here(str(value), places) for key, value in services()[name].get("environment", {}).items()}
    return {**environment_of_sources(), **told}
