"""Seven tenths of the peak, for as long as you have: --duration 28800 is a working day."""

from loadtest import stages


class Soak(stages.Staged):
    """Seven tenths of the peak, for as long as you have: --duration 28800 is a working day."""

    stages = stages.SOAK
