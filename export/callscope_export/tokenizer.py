"""A tokenizer.json, and a graph that hands out slices of it: the models `*_tokenizer`."""

from importlib.util import find_spec

import numpy as np

from .checkpoint import Checkpoint
from .contract import Signature
from .errors import CheckpointInvalid
from .graph import Graph, GraphBuilder, finish


def tokenizer_graph(content: bytes, signature: Signature) -> Graph:
    """Build the graph from `offset` and `length`, each of shape (1,), to `length` bytes, fewer at the end."""
    graph = GraphBuilder(signature.name)
    offset, length = (graph.input(tensor) for tensor in signature.inputs)
    whole = graph.constant(np.frombuffer(content, np.uint8))
    return finish(graph, signature, {"bytes": graph.op("Slice", whole, offset, graph.op("Add", offset, length))})


def classifier_tokenizer(checkpoint: Checkpoint) -> bytes:
    """Read tokenizer.json, or have transformers make one of the older files: vocab.txt or a SentencePiece model.

    Raises:
        CheckpointInvalid: There is none, and none can be made.
    """
    if (checkpoint.folder / "tokenizer.json").is_file():
        return checkpoint.tokenizer
    if not find_spec("transformers"):
        raise CheckpointInvalid(
            f"{checkpoint.folder} has no tokenizer.json, and transformers, which can make one, is not installed. "
            "Install it with `pip install 'callscope[optimum]'`."
        )
    from transformers import AutoTokenizer  # noqa: PLC0415  the extra `optimum`

    try:
        options = {"use_fast": True, "local_files_only": True, "trust_remote_code": False}
        made = AutoTokenizer.from_pretrained(checkpoint.folder, **options)
        return str(made.backend_tokenizer.to_str()).encode()
    except Exception as error:  # whatever stops a tokenizer's own code
        raise CheckpointInvalid(
            f"{checkpoint.folder} has no tokenizer.json, and none can be made of its files ({type(error).__name__}). "
            "Complete the checkpoint with all files of its publisher, and install callscope[optimum]."
        ) from error
