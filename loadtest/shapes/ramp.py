"""Steps from a fifth of the peak to beyond it, of equal length."""

from loadtest import stages


class Ramp(stages.Staged):
    """Steps from a fifth of the peak to beyond it, of equal length."""

    stages = stages.RAMP
