"""What an export tells of itself while it goes on: a line at a time, the last one being where it is now."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

Progress = Callable[[str], None]

_LAYER = re.compile(r"layers?\.(\d+)\.")


def silent(_message: str) -> None:
    """Tell nobody."""


class FollowedWeights(Mapping[str, NDArray[Any]]):
    """The weights of a checkpoint, which tell the layer that is being read of them.

    Args:
        weights: The weights.
        layers: How many layers the graph has that reads them.
        what: What is being done, in words.
        progress: Is told.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], layers: int, what: str, progress: Progress) -> None:
        self._weights, self._layers, self._what, self._progress = weights, layers, what, progress
        self._layer = -1

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Read one array, and tell where it belongs to a layer other than the one before."""
        found = _LAYER.search(name)
        if found and int(found[1]) != self._layer:
            self._layer = int(found[1])
            self._progress(f"{self._what}: layer {self._layer + 1} of {self._layers}")
        return self._weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)
