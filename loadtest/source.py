"""A user of Locust that stands for a source of requests in the generator."""

from __future__ import annotations

import gevent
from locust import User, task


class Source(User):
    """Begins to send when it is started and stops when it is stopped; the generator does the work.

    Attributes:
        kind: what it sends.
    """

    abstract = True
    kind = ""

    def on_start(self) -> None:
        """Begin to send."""
        self._number = self.environment.sending.start(self.kind, self.environment.parsed_options.rate)

    def on_stop(self) -> None:
        """Send nothing more."""
        self.environment.sending.stop(self._number)

    @task
    def wait_for_the_end(self) -> None:
        """Nothing to do here until Locust ends this user."""
        while True:
            gevent.sleep(60)
