"""Exports that know fewer languages than their checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from callscope_export import export_all, export_whisper
from callscope_export.errors import LanguageUnknown

from ..referee.host_loop import HostWhisper
from ..repository_files import parameters, read_config
from .fixture_types import Checkpoints, OpenModel

ROWS = 24


def languages_of(repository: Path) -> dict[str, int]:
    found = {
        name: json.loads(parameters(read_config(repository, name))["languages"])
        for name in ("whisper_decoder", "transcribe", "transcribe_words")
    }
    assert len({str(languages) for languages in found.values()}) == 1
    return dict(found["transcribe"])


def test_only_the_languages_named_are_detected(checkpoint: Checkpoints, open_model: OpenModel, tmp_path: Path) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, precision="fp32", languages=["ko", "ja"], parity="off")
    ids = HostWhisper(checkpoint("multilingual")).generation["lang_to_id"]
    assert languages_of(tmp_path) == {"ja": ids["<|ja|>"], "ko": ids["<|ko|>"]}
    states = np.random.default_rng(1).standard_normal((ROWS, 50, 32)).astype(np.float32)
    inputs = {name: np.full((ROWS, 1), -1, np.int32) for name in ("language", "task", "max_tokens")}
    inputs |= {"states": states, "temperature": np.zeros((ROWS, 1), np.float32)}
    few = onnxruntime.InferenceSession(tmp_path / "whisper_decoder" / "1" / "model.onnx")
    every = open_model("multilingual", "whisper_decoder")
    wanted = ["chosen_language", "language_probability"]
    chosen, probability = few.run(wanted, inputs)
    free, share = every.run(wanted, inputs)
    assert set(chosen.ravel()) == {ids["<|ja|>"], ids["<|ko|>"]}
    assert ids["<|en|>"] in free, "English must be the most probable somewhere for this test to mean something"
    kept = free != ids["<|en|>"]
    np.testing.assert_array_equal(chosen[kept], free[kept])
    assert (probability[kept] > share[kept]).all()
    inputs["language"] = np.full((ROWS, 1), ids["<|en|>"], np.int32)
    assert set(few.run(wanted, inputs)[0].ravel()) == set(chosen.ravel()), "a language left out counts as none"


def test_all_languages_are_there_where_none_is_named(checkpoint: Checkpoints, tmp_path: Path) -> None:
    export_whisper(checkpoint("multilingual"), tmp_path, parity="off")
    assert list(languages_of(tmp_path)) == ["en", "ja", "ko"]


def test_the_order_of_the_names_does_not_matter(checkpoint: Checkpoints, tmp_path: Path) -> None:
    one = export_whisper(checkpoint("multilingual"), tmp_path / "one", languages=["ko", "en"], parity="off")
    other = export_whisper(checkpoint("multilingual"), tmp_path / "other", languages=["en", "ko"], parity="off")
    assert one.models == other.models


@pytest.mark.parametrize(("name", "known"), [("multilingual", "en, ja, ko"), ("english_only", "en")])
def test_a_language_that_the_checkpoint_does_not_know_is_refused(
    checkpoint: Checkpoints, tmp_path: Path, name: str, known: str
) -> None:
    with pytest.raises(LanguageUnknown, match=rf"language 'de'\. Choose among {known}\.") as caught:
        export_whisper(checkpoint(name), tmp_path / "repository", languages=["en", "de"])
    assert caught.value.exit_code == 2
    assert not (tmp_path / "repository").exists()


def test_an_english_only_checkpoint_may_be_asked_for_english(checkpoint: Checkpoints, tmp_path: Path) -> None:
    export_whisper(checkpoint("english_only"), tmp_path, languages=["en"], parity="off")
    assert languages_of(tmp_path) == {}


def test_a_recipe_names_languages(checkpoint: Checkpoints, tmp_path: Path) -> None:
    recipe = checkpoint("multilingual").parent / "languages.toml"
    recipe.write_text('[whisper]\nsource = "multilingual"\nlanguages = ["ja"]\nparity = "off"\n')
    export_all(recipe, repository=tmp_path)
    assert list(languages_of(tmp_path)) == ["ja"]
