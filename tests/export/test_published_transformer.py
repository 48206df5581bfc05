"""A published graph of a real transformer with four heads, traced by torch as publishers trace it: parity in 8 bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from callscope_export import export_classifier

from .published_heads import AFTER, BEFORE, CHARACTERS, write_heads

REASON = "traces a graph with torch, which the extra `referee` installs"
torch = pytest.importorskip("torch", reason=REASON)
transformers = pytest.importorskip("transformers", reason=REASON)
sentencepiece = pytest.importorskip("sentencepiece", reason="trains SentencePiece, which the extra `optimum` installs")

pytestmark = pytest.mark.filterwarnings("ignore")

WIDTH, MARK_WIDTH = 48, 8
OUTPUTS = ("pre_preds", "post_preds", "cap_preds", "seg_preds")


def four_heads(vocabulary: int) -> Any:
    """XLM-R, two heads on it, and two on it and on the mark that is chosen; with weights by chance, far from zero."""

    class FourHeads(torch.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            sizes = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 80}
            ids = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "vocab_size": vocabulary}
            config = transformers.XLMRobertaConfig(**sizes, **ids, max_position_embeddings=66)
            config._attn_implementation = "eager"
            self.encoder = transformers.XLMRobertaModel(config, add_pooling_layer=False)
            self.before, self.after = torch.nn.Linear(WIDTH, len(BEFORE)), torch.nn.Linear(WIDTH, len(AFTER))
            self.marks = torch.nn.Embedding(len(AFTER), MARK_WIDTH)
            self.upper = torch.nn.Linear(WIDTH + MARK_WIDTH, CHARACTERS)
            self.ends = torch.nn.Linear(WIDTH + MARK_WIDTH, 2)

        def forward(self, input_ids: Any) -> tuple[Any, ...]:
            states = self.encoder(input_ids=input_ids, attention_mask=input_ids.ne(1).long())[0]
            before, after = (head(states).max(dim=-1)[1] for head in (self.before, self.after))
            marked = torch.cat([states, self.marks(after)], dim=-1)
            ends = self.ends(marked).softmax(dim=-1)[..., 1].gt(0.5)
            return before, after, self.upper(marked).sigmoid().gt(0.5), ends

    torch.manual_seed(0)
    model = FourHeads().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_((0.2 if "norm" in name.lower() else 1.2 / weight.shape[-1] ** 0.5) * torch.randn_like(weight))
    return model


@pytest.fixture(scope="module", params=[14, 17])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published files, of opsets before and after a layer norm became one operator."""
    folder = write_heads(tmp_path_factory.mktemp("published") / "traced")
    model = four_heads(len(sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))))
    texts = torch.tensor([[0, 5, 6, 7, 2, 1], [0, 5, 6, 7, 8, 2]])
    free = {name: {0: "B", 1: "T"} for name in ("input_ids", *OUTPUTS)}
    names = {"input_names": ["input_ids"], "output_names": list(OUTPUTS), "dynamic_axes": free}
    with torch.no_grad():
        torch.onnx.export(model, (texts,), folder / "model.onnx", opset_version=request.param, dynamo=False, **names)
    return folder


@pytest.mark.parametrize(("precision", "least"), [("fp32", 1.0), ("fp16", 0.99), ("int8", 0.95)])
def test_it_decides_as_published(published: Path, tmp_path: Path, precision: str, least: float) -> None:
    export_classifier(published, tmp_path, name="punctuate", precision=precision, parity="require")
    version = tmp_path / "punctuate" / "1"
    report = json.loads((version / "report.json").read_text())
    assert min(report["found"].values()) >= least
    assert report["alone"] == 1.0
    graph = onnx.load(version / "model.onnx").graph
    products = {node.op_type for node in graph.node} & {"MatMul", "Gemm", "MatMulIntegerToFloat"}
    assert ("MatMulIntegerToFloat" in products) == (precision == "int8")
    weights = {tensor.name for tensor in graph.initializer if len(tensor.dims) > 1}
    by_weights = [node for node in graph.node if node.op_type == "MatMul" and set(node.input) & weights]
    assert bool(by_weights) == (precision != "int8")
