"""What the graphs of a Whisper must pass before they are published: parity with the checkpoint, and an evaluation."""

import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .evaluation import MOST_RISE, Evaluation, Transcriber, error_rates, refuse_rise, require_packages, write_texts
from .gate import as_report
from .graph_files import GRAPH, write_graph
from .graph_runs import GraphRuns, decoder_options
from .parity import can_compare, check_parity
from .plan import Plan
from .recordings import Recording
from .reference import Reference
from .whisper import WhisperSettings
from .whisper_models import TRANSCRIBE, whisper_graphs

EXACT = "fp32"


class WhisperGate:
    """Looks at graphs, by their models' names, before they are published; a `Gate` of `publish`.

    Args:
        plan: What is exported.
        settings: What was read of the checkpoint.
        compared: Whether to compare the graphs with transformers.
        recordings: What to evaluate the graphs on; nothing where there are none.

    Attributes:
        evaluation: What the evaluation found, once there was one.

    Raises:
        PartMissing: An evaluation takes what is not installed.
    """

    def __init__(
        self, plan: Plan, settings: WhisperSettings, *, compared: bool, recordings: Sequence[Recording]
    ) -> None:
        if recordings:
            require_packages()
        self._plan, self._settings, self._recordings = plan, settings, recordings
        self.compared = compared
        self.evaluation: Evaluation | None = None

    @property
    def looks(self) -> bool:
        """Whether there is anything to look at."""
        return self.compared or bool(self._recordings)

    def __call__(self, graphs: Mapping[str, Path]) -> bytes:
        """Compare and evaluate, and return the content of report.json.

        Raises:
            ParityFailed: The graphs do not say what the checkpoint says.
            EvaluationFailed: They err more than it.
            EvaluationImpossible: A recording or a text cannot be used.
        """
        report: dict[str, Any] = {}
        if self.compared:
            self._plan.progress("Comparing with transformers")
            run = GraphRuns(graphs, keep_open=False)
            report |= check_parity(
                self._plan.checkpoint.folder, self._settings, self._plan.precision.name, run
            ).as_dict()
        if self._recordings:
            self.evaluation = self._evaluate(graphs)
            refuse_rise(self.evaluation)
            report["evaluation"] = self.evaluation.as_dict()
        return as_report(report)

    def _evaluate(self, graphs: Mapping[str, Path]) -> Evaluation:
        exported = self._texts(self._of_graphs(graphs), "the graphs")
        name, reference = self._reference(graphs, exported)
        return Evaluation(name, MOST_RISE, tuple(error_rates(self._recordings, exported, reference)))

    def _reference(self, graphs: Mapping[str, Path], exported: list[str]) -> tuple[str, list[str]]:
        """Transcribe with the best that is at hand: transformers, or the graphs in FP32."""
        if can_compare():
            name = f"transformers {version('transformers')}"
            return name, self._texts(Reference(self._plan.checkpoint.folder, self._settings).transcribe, name)
        name = "the graphs in FP32"
        if self._plan.precision.name == EXACT:
            return name, exported
        staging = graphs["log_mel"].parents[2]
        with tempfile.TemporaryDirectory(dir=staging) as folder:
            return name, self._texts(self._of_graphs(self._exact_graphs(Path(folder))), name)

    def _exact_graphs(self, folder: Path) -> dict[str, Path]:
        paths = {}
        for described, build in whisper_graphs(self._plan.exact(), self._settings)[:TRANSCRIBE]:
            paths[described.name] = folder / described.name / GRAPH
            paths[described.name].parent.mkdir()
            write_graph(build(), paths[described.name].parent, self._plan.progress)
        return paths

    def _texts(self, transcribe: Transcriber, who: str) -> list[str]:
        tokenizer: Any = Tokenizer.from_buffer(self._plan.checkpoint.tokenizer)

        def progress(recording: str) -> None:
            self._plan.progress(f"Transcribing recording {recording} with {who}")

        return write_texts(self._recordings, self._settings, transcribe, tokenizer.decode, progress)

    def _of_graphs(self, graphs: Mapping[str, Path]) -> Transcriber:
        run = GraphRuns(graphs, keep_open=True)

        def transcribe(windows: NDArray[np.int16], language: int) -> NDArray[Any]:
            mel = run("log_mel", {"audio": windows})["mel"]
            states = run("whisper_encoder", {"mel": mel})["states"]
            options = decoder_options(len(windows), self._settings, language)
            return run("whisper_decoder", {"states": states, **options})["tokens"]

        return transcribe
