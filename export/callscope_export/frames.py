"""A window's frames, side by side, as a graph."""

from collections.abc import Iterator

from .graph import GraphBuilder
from .whisper import MelSettings


class Frames:
    """The frames of a window in columns: rows hold the same sample of every frame, shape (batch, rows, F).

    A frame begins every hop. With a column for each hop, a row of samples is a row of that matrix, begun as many
    columns later as whole hops lie before the sample.
    """

    def __init__(self, graph: GraphBuilder, samples: str, settings: MelSettings) -> None:
        """Lay samples of shape (batch, S) out, reflected at both ends by half a frame, as the reference does."""
        self._graph, self._hop, self._frames = graph, settings.hop_samples, settings.frames
        hops, half = settings.frames + settings.fft_samples // self._hop, settings.fft_samples // 2
        beyond = hops * self._hop - half - settings.window_samples
        padded = graph.op("Pad", samples, graph.integers(0, half, 0, max(0, beyond)), mode="reflect")
        if beyond < 0:
            padded = graph.op("Slice", padded, graph.integers(0), graph.integers(beyond), graph.integers(1))
        by_hop = graph.op("Reshape", padded, graph.integers(0, hops, self._hop))
        self._forward = graph.op("Transpose", by_hop, perm=[0, 2, 1])
        self._backward = graph.op("Gather", self._forward, graph.integers(*reversed(range(self._hop))), axis=1)

    def forward(self, first: int, count: int) -> str:
        """Take the samples first, first + 1, ..., of which the last is at most the one after a frame's last."""
        rows = [self._rows(self._forward, hop, start, stop) for hop, start, stop in self._by_hop(first, count)]
        return self._joined(rows)

    def backward(self, last: int, count: int) -> str:
        """Take the samples last, last - 1, ..."""
        pieces = [*self._by_hop(last - count + 1, count)][::-1]
        return self._joined(
            [self._rows(self._backward, hop, self._hop - stop, self._hop - start) for hop, start, stop in pieces]
        )

    def _by_hop(self, first: int, count: int) -> Iterator[tuple[int, int, int]]:
        """Cut a run of samples where a hop ends: which hop, from and to where in it."""
        for hop in range(first // self._hop, (first + count - 1) // self._hop + 1):
            begin = hop * self._hop
            yield hop, max(first - begin, 0), min(first + count - begin, self._hop)

    def _rows(self, matrix: str, hop: int, start: int, stop: int) -> str:
        begin, end = self._graph.integers(start, hop), self._graph.integers(stop, hop + self._frames)
        return self._graph.op("Slice", matrix, begin, end, self._graph.integers(1, 2))

    def _joined(self, rows: list[str]) -> str:
        return self._graph.op("Concat", *rows, axis=1) if len(rows) > 1 else rows[0]
