"""What a run tells: its user on stderr, and whoever watches it by logs, metrics and traces."""

from callscope.telemetry.stderr import STDERR, say

__all__ = ["STDERR", "say"]
