"""Three tenths of the peak, for a fifth of the time all of it, and back."""

from loadtest import stages


class Spike(stages.Staged):
    """Three tenths of the peak, for a fifth of the time all of it, and back."""

    stages = stages.SPIKE
