"""A tokenizer as a graph that hands out slices of the file tokenizer.json: the models `*_tokenizer`."""

import numpy as np

from .contract import Signature
from .graph import Graph, GraphBuilder, finish


def tokenizer_graph(content: bytes, signature: Signature) -> Graph:
    """Build the graph from `offset` and `length`, each of shape (1,), to `length` bytes, fewer at the end."""
    graph = GraphBuilder(signature.name)
    offset, length = (graph.input(tensor) for tensor in signature.inputs)
    whole = graph.constant(np.frombuffer(content, np.uint8))
    return finish(graph, signature, {"bytes": graph.op("Slice", whole, offset, graph.op("Add", offset, length))})
