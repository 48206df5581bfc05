"""The evaluation of an export: recordings with their texts, and how much graphs and checkpoint err on them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from callscope_export import export_all, export_whisper, whisper_models
from callscope_export.checkpoint import open_checkpoint
from callscope_export.errors import EvaluationFailed, EvaluationImpossible, ExportError, PartMissing
from callscope_export.evaluation import comparable, error_rates
from callscope_export.graph import Graph
from callscope_export.parity import can_compare
from callscope_export.recordings import Recording, read_recordings, read_windows
from callscope_export.whisper import read_whisper

from ..referee.host_loop import HostWhisper
from .fixture_types import Checkpoints, OpenModel

RATE_HZ = 16_000
REFERENCE = "transformers" if can_compare() else "the graphs in FP32"

pytestmark = pytest.mark.filterwarnings("ignore")  # of transformers, where it is installed


def noise(seed: int, seconds: float) -> NDArray[np.int16]:
    return np.random.default_rng(seed).normal(0, 2000 * (1 + seed), int(seconds * RATE_HZ)).astype(np.int16)


@pytest.fixture(scope="module")
def spoken(checkpoint: Checkpoints, open_model: OpenModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise in three languages, and as its text what the checkpoint makes of it."""
    folder = tmp_path_factory.mktemp("spoken")
    tokenizer: Any = pytest.importorskip("tokenizers").Tokenizer.from_file(
        str(checkpoint("multilingual") / "tokenizer.json")
    )
    ids = HostWhisper(checkpoint("multilingual")).generation["lang_to_id"]
    for language in ("en", "ja", "ko"):
        (folder / language).mkdir()
        for seed in range(3):
            audio = noise(seed, 1.5)
            text = " ".join(
                tokenizer.decode(heard(open_model, audio[start : start + RATE_HZ], ids[f"<|{language}|>"]))
                for start in (0, RATE_HZ)
            )
            soundfile.write(folder / language / f"{seed}.{'flac' if seed else 'wav'}", audio, RATE_HZ)
            (folder / language / f"{seed}.txt").write_text(text, encoding="utf-8")
    return folder


def heard(open_model: OpenModel, audio: NDArray[np.int16], language: int) -> list[int]:
    window = np.zeros((1, RATE_HZ), np.int16)
    window[0, : len(audio)] = audio
    (mel,) = open_model("multilingual", "log_mel").run(None, {"audio": window})
    (states,) = open_model("multilingual", "whisper_encoder").run(None, {"mel": mel})
    options = {"language": language, "task": -1, "max_tokens": 20}
    inputs = {name: np.full((1, 1), value, np.int32) for name, value in options.items()}
    inputs |= {"states": states, "temperature": np.zeros((1, 1), np.float32)}
    return [int(token) for token in open_model("multilingual", "whisper_decoder").run(["tokens"], inputs)[0][0]]


def evaluation_in(repository: Path, version: str = "1") -> dict[str, Any]:
    report = json.loads((repository / "whisper_decoder" / version / "report.json").read_text())
    return dict(report["evaluation"])


def test_error_rates_by_language_stand_in_the_report(checkpoint: Checkpoints, spoken: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    report = export_whisper(
        checkpoint("multilingual"), tmp_path, precision="fp32", evaluate=spoken, progress=lines.append
    )
    assert report.evaluation
    found = evaluation_in(tmp_path)
    assert found["reference"].startswith(REFERENCE)
    assert [(rate["language"], rate["metric"], rate["recordings"]) for rate in found["rates"]] == [
        ("en", "wer", 3),
        ("ja", "cer", 3),
        ("ko", "cer", 3),
    ]
    assert [(rate["exported"], rate["reference"]) for rate in found["rates"]] == [(0.0, 0.0)] * 3
    assert report.evaluation.as_dict() == {**found, "rates": tuple(found["rates"])}
    assert "Transcribing recording 9 of 9 with the graphs" in lines


def worse(build: Callable[..., Graph]) -> Callable[..., Graph]:
    """The same graph, its positions exchanged, in int8 alone."""

    def build_worse(*arguments: Any) -> Graph:
        graph, precision = build(*arguments), arguments[2]
        places = [name for name, array in graph.weights.items() if array.shape == (24, 32) and array.dtype == "f4"]
        if precision.name != "int8":
            return graph
        assert places
        return Graph(graph.bare, graph.weights | {name: graph.weights[name][::-1].copy() for name in places})

    return build_worse


def test_graphs_that_err_more_than_their_checkpoint_are_refused(
    checkpoint: Checkpoints, spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32", parity="off")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(whisper_models, "decoder_graph", worse(whisper_models.decoder_graph))
    with pytest.raises(EvaluationFailed, match=r"In en the graphs have a WER of .*0\.5% more is allowed") as caught:
        export_whisper(checkpoint("multilingual"), tmp_path, precision="int8", parity="off", evaluate=spoken)
    assert caught.value.exit_code == 5
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_export_that_is_there_already_gets_its_report(checkpoint: Checkpoints, spoken: Path, tmp_path: Path) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32", parity="off")
    assert not list(tmp_path.rglob("report.json"))
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32", parity="off", evaluate=spoken)
    assert evaluation_in(tmp_path)["rates"][0]["exported"] == 0.0
    assert not (tmp_path / "whisper_decoder" / "2").exists()


def test_languages_that_are_not_exported_are_not_evaluated(
    checkpoint: Checkpoints, spoken: Path, tmp_path: Path
) -> None:
    report = export_whisper(
        checkpoint("multilingual"), tmp_path, precision="fp32", languages=["ja"], parity="off", evaluate=spoken
    )
    assert report.evaluation
    assert [rate.language for rate in report.evaluation.rates] == ["ja"]


def test_a_recipe_names_its_recordings_from_where_it_is(checkpoint: Checkpoints, spoken: Path, tmp_path: Path) -> None:
    shutil.copytree(spoken, tmp_path / "calls")
    recipe = tmp_path / "recipe.toml"
    source = checkpoint("multilingual")
    recipe.write_text(f'[whisper]\nsource = "{source}"\nprecision = "fp32"\nparity = "off"\nevaluate = "calls"\n')
    (report,) = export_all(recipe, repository=tmp_path / "models")
    assert report.evaluation
    assert len(report.evaluation.rates) == 3


def test_without_its_packages_an_evaluation_says_what_to_install(
    checkpoint: Checkpoints, spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(PartMissing, match=r"pip install 'callscope\[eval\]'") as caught:
        export_whisper(checkpoint("multilingual"), tmp_path / "repository", evaluate=spoken)
    assert caught.value.exit_code == 6
    assert not (tmp_path / "repository").exists()


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def no_recording(folder: Path) -> None:
    for language in ("en", "ja", "ko"):
        shutil.rmtree(folder / language)


def no_text(folder: Path) -> None:
    (folder / "ja" / "1.txt").unlink()


def no_words(folder: Path) -> None:
    (folder / "ja" / "1.txt").write_text(" … ?!\n")


def no_sound(folder: Path) -> None:
    (folder / "ja" / "1.flac").unlink()
    soundfile.write(folder / "ja" / "1.wav", np.zeros(0, np.int16), RATE_HZ)


def not_audio(folder: Path) -> None:
    (folder / "ja" / "1.flac").write_text("not audio")


def no_language(folder: Path) -> None:
    shutil.copy(folder / "ja" / "1.flac", folder / "1.flac")


def unknown_language(folder: Path) -> None:
    (folder / "ja").rename(folder / "de")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_folder, "There is no folder"),
        (no_recording, "holds no recording"),
        (no_text, "1.flac has no text beside it"),
        (no_words, "1.flac has no words"),
        (no_sound, "1.wav holds no sound"),
        (not_audio, "1.flac cannot be read"),
        (no_language, "is in no folder of a language"),
        (unknown_language, "is in no folder of a language"),
    ],
)
def test_recordings_that_cannot_be_used_are_named(
    checkpoint: Checkpoints, spoken: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "calls"
    shutil.copytree(spoken, folder)
    spoil(folder)
    with pytest.raises(EvaluationImpossible, match=said) as caught:
        export_whisper(checkpoint("multilingual"), tmp_path / "models", precision="fp32", parity="off", evaluate=folder)
    assert caught.value.exit_code == 2
    assert isinstance(caught.value, ExportError)
    assert not list((tmp_path / "models").glob("*/config.pbtxt"))


def test_english_only_checkpoints_are_evaluated_on_english(checkpoint: Checkpoints, spoken: Path) -> None:
    prompt = read_whisper(open_checkpoint(checkpoint("english_only"))).prompt
    with pytest.raises(EvaluationImpossible, match="no folder of a language"):
        read_recordings(spoken, prompt)


def test_a_recording_becomes_windows_of_the_models_rate(checkpoint: Checkpoints, tmp_path: Path) -> None:
    mel = read_whisper(open_checkpoint(checkpoint("multilingual"))).mel
    time_s = np.arange(int(2.25 * 44_100)) / 44_100
    left = 0.5 * np.sin(2 * np.pi * 440 * time_s)
    soundfile.write(tmp_path / "a.wav", np.stack([left, np.zeros_like(left)], axis=1), 44_100)
    windows = read_windows(Recording(tmp_path / "a.wav", "en", "la"), mel)
    assert windows.shape == (3, 16_000)
    assert windows.dtype == np.int16
    expected = 0.25 * 32768 * np.sin(2 * np.pi * 440 * np.arange(36_000) / 16_000)
    assert np.abs(windows.reshape(-1)[:36_000] - expected)[200:-200].max() < 20
    assert (windows.reshape(-1)[36_000:] == 0).all()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello,  World! It's 5%", "en", "hello world it s 5"),
        ("はい、そうです。ＡＢＣ", "ja", "はいそうですabc"),
        ("네, 맞습니다.", "ko", "네맞습니다"),
        ("네, 맞습니다.", "ko", "네맞습니다"),
    ],
)
def test_case_marks_and_widths_do_not_count(text: str, language: str, expected: str) -> None:
    assert comparable(text, language) == expected


def test_errors_are_counted_over_all_recordings_of_a_language() -> None:
    said = [Recording(Path(name), language, text) for name, language, text in SAID]
    exported = ["one two four", "x", "はい"]
    reference = ["One two three.", "five", "はいい"]
    english, japanese = error_rates(said, exported, reference)
    assert (english.exported, english.reference) == (2 / 4, 0.0)
    assert (japanese.exported, japanese.reference) == (0.0, 1 / 2)


SAID = [("a", "en", "one two three"), ("b", "en", "five"), ("c", "ja", "はい。")]
