"""How models are to be served, as data: the profiles `cpu` and `gpu`, or a TOML file like theirs."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .errors import ProfileInvalid

_PROFILES = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class Serving:
    """How one model is served.

    Attributes:
        max_batch_size: The most rows of one run.
        queue_delay_ms: How long a request may wait for others to be batched with.
        threads: Threads inside an operator, of one instance.
        warmup_batches: Batch sizes to run before the model counts as ready.
        cache: Whether equal requests are answered from Triton's response cache.
        bounded: Whether its queue has a limit, a timeout and two priorities. Without, a queue is as long as it gets.
    """

    max_batch_size: int
    queue_delay_ms: float = 0
    threads: int = 1
    warmup_batches: tuple[int, ...] = ()
    cache: bool = False
    bounded: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """How all models are served.

    Attributes:
        name: "cpu", "gpu", or the file's stem.
        precision: What weights are stored in unless told otherwise.
        kind: "KIND_CPU" or "KIND_GPU".
        instances: Instances of a model: in all on a CPU, on each GPU otherwise.
        max_queue_size: Waiting requests of a model, beyond which one is refused.
        queue_timeout_s: How long a request may wait before it is refused.
        models: By the model's name.
        gpus: Which GPUs; all where empty.
    """

    name: str
    precision: str
    kind: str
    instances: int
    max_queue_size: int
    queue_timeout_s: float
    models: Mapping[str, Serving]
    gpus: tuple[int, ...] = ()

    def placed(self, gpus: Sequence[int], instances: int | None) -> "Profile":
        """Choose GPUs and the number of instances; None leaves the profile's own.

        Raises:
            ProfileInvalid: GPUs for a profile of the CPU, or fewer than one instance.
        """
        if gpus and self.kind == "KIND_CPU":
            raise ProfileInvalid(f"The profile {self.name} uses no GPU. Leave out the GPUs, or choose the profile gpu.")
        count = self.instances if instances is None else instances
        if count < 1:
            raise ProfileInvalid(f"{count} instances cannot serve. Ask for at least 1.")
        return replace(self, gpus=tuple(gpus), instances=count)


def load_profile(name: str) -> Profile:
    """Load one of the profiles that come along, by name, or any other by the path of its file.

    Raises:
        ProfileInvalid: There is no such profile, or its file cannot be understood.
    """
    path = _PROFILES / f"{name}.toml"
    path = path if path.is_file() else Path(name)
    try:
        return _profile(path.stem, tomllib.loads(path.read_text()))
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in _PROFILES.glob("*.toml")))
        raise ProfileInvalid(f"There is no profile {name}. Choose one of {known}, or name a TOML file.") from error
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise ProfileInvalid(f"The profile {path} cannot be understood ({error}). Compare it with cpu.toml.") from error


def _profile(name: str, table: dict[str, Any]) -> Profile:
    models = {model: _serving(settings) for model, settings in table.pop("models").items()}
    return Profile(name=name, models=models, **table)


def _serving(table: dict[str, Any]) -> Serving:
    return Serving(**{**table, "warmup_batches": tuple(table.get("warmup_batches", ()))})
