"""A shape for Locust, made of stages."""

from __future__ import annotations

from typing import ClassVar

from locust import LoadTestShape

from loadtest.stages import STEADY, Stages, users_at


class Staged(LoadTestShape):
    """A load of stages."""

    abstract = True
    stages: ClassVar[Stages] = STEADY

    def tick(self) -> tuple[int, float] | None:
        """How many users there shall be now."""
        options = self.runner.environment.parsed_options
        users = users_at(self.stages, self.get_run_time(), options.duration, options.peak)
        return None if users is None else (users, max(1.0, users))
