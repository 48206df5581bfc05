"""The peak from the first to the last second."""

from loadtest import stages


class Steady(stages.Staged):
    """The peak from the first to the last second."""

    stages = stages.STEADY
