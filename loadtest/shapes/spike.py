"""Three tenths of the peak, for a fifth of the time all of it, and back."""

from loadtest import staged, stages


class Spike(staged.Staged):
    """Three tenths of the peak, for a fifth of the time all of it, and back."""

    stages = stages.SPIKE
