"""The peak from the first to the last second."""

from loadtest import staged, stages


class Steady(staged.Staged):
    """The peak from the first to the last second."""

    stages = stages.STEADY
