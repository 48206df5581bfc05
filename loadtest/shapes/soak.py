"""Seven tenths of the peak, for as long as you have: --duration 28800 is a working day."""

from loadtest import staged, stages


class Soak(staged.Staged):
    """Seven tenths of the peak, for as long as you have: --duration 28800 is a working day."""

    stages = stages.SOAK
