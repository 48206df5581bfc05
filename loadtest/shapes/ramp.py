"""Steps from a fifth of the peak to beyond it, of equal length."""

from loadtest import staged, stages


class Ramp(staged.Staged):
    """Steps from a fifth of the peak to beyond it, of equal length."""

    stages = stages.RAMP
