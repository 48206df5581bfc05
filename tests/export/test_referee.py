"""The exported graphs against transformers itself.

These tests need torch and transformers (the extra `referee`); the others compare with plain numpy.
"""

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from callscope_export.checkpoint import open_checkpoint
from callscope_export.mel import mel_filters
from callscope_export.parity import sound
from callscope_export.whisper import MelSettings, read_whisper

from .checkpoint_variants import slow_tokenizer
from .fixture_types import Checkpoints, OpenModel
from .mel_graph import log_mel, loud_tones

REASON = "compares with transformers, which the extra `referee` installs"
torch = pytest.importorskip("torch", reason=REASON)
transformers = pytest.importorskip("transformers", reason=REASON)

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = ("multilingual", "english_only")


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Keep transformers' advice out of the results."""
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")


def windows(model: Any, rows: int = 50) -> NDArray[Any]:
    rng = np.random.default_rng(5)
    shape = (rows, model.config.num_mel_bins, 2 * model.config.max_source_positions)
    return (np.geomspace(0.2, 5, rows)[:, None, None] * rng.standard_normal(shape)).astype(np.float32)


def decode(session: Any, states: NDArray[Any], language: int = -1, task: int = -1) -> dict[str, NDArray[Any]]:
    rows = len(states)
    inputs = {"language": np.full((rows, 1), language, np.int32), "task": np.full((rows, 1), task, np.int32)}
    inputs |= {"max_tokens": np.full((rows, 1), 224, np.int32), "temperature": np.zeros((rows, 1), np.float32)}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"states": states, **inputs}), strict=True))


def generated(model: Any, mel: NDArray[Any], prompt: int, **options: Any) -> NDArray[Any]:
    """Transcribe with `generate`, and pad as the graph does."""
    room = model.config.max_target_positions - prompt
    with torch.no_grad():
        found = model.generate(torch.from_numpy(mel), return_timestamps=False, max_new_tokens=room, **options).numpy()
    text = found[:, prompt:] if found.shape[1] > room else found
    padded = np.full((len(mel), room), model.generation_config.eos_token_id)
    padded[:, : text.shape[1]] = text
    return padded


@pytest.mark.parametrize("name", NAMES)
def test_mel_equals_the_feature_extractors(checkpoint: Checkpoints, open_model: OpenModel, name: str) -> None:
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(checkpoint(name))
    rng = np.random.default_rng(9)
    audio = (np.geomspace(30, 8000, 6)[:, None] * rng.standard_normal((6, 16000))).clip(-32768, 32767).astype(np.int16)
    audio[2, 7000:] = 0
    expected = extractor(list(audio / 32768.0), sampling_rate=16000, return_tensors="np").input_features
    (mel,) = open_model(name, "log_mel").run(None, {"audio": audio})
    np.testing.assert_allclose(mel, expected, atol=1e-4)


@pytest.mark.parametrize("bins", [80, 128])
@pytest.mark.parametrize("with_torch", [True, False])
def test_mel_of_speech_and_tones_equals_the_feature_extractors(
    checkpoint: Checkpoints, monkeypatch: pytest.MonkeyPatch, bins: int, *, with_torch: bool
) -> None:
    """Transformers computes in single precision where it finds torch, and in double precision elsewhere."""
    whisper = transformers.models.whisper.feature_extraction_whisper
    monkeypatch.setattr(whisper, "is_torch_available", lambda: with_torch)
    settings = MelSettings(16000, 8 * 16000, 400, 160, bins)
    speech = sound(replace(read_whisper(open_checkpoint(checkpoint("multilingual"))), mel=settings))
    audio = np.concatenate([speech, loud_tones(seconds=8)])
    extractor = transformers.WhisperFeatureExtractor(feature_size=bins, chunk_length=8)
    expected = extractor(list(audio / 32768.0), sampling_rate=16000, return_tensors="np").input_features
    np.testing.assert_allclose(log_mel(audio, settings), expected, atol=1e-4 if with_torch else 2.5e-5)


@pytest.mark.parametrize(("rate_hz", "fft_samples", "bins"), [(16000, 400, 80), (16000, 400, 128), (22050, 512, 64)])
def test_mel_bands_equal_transformers(rate_hz: int, fft_samples: int, bins: int) -> None:
    expected = transformers.audio_utils.mel_filter_bank(
        1 + fft_samples // 2, bins, 0.0, 8000.0, rate_hz, norm="slaney", mel_scale="slaney"
    )
    np.testing.assert_allclose(mel_filters(MelSettings(rate_hz, rate_hz, fft_samples, 160, bins)), expected, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_states_equal_the_encoders(checkpoint: Checkpoints, open_model: OpenModel, name: str) -> None:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(checkpoint(name)).eval()
    mel = windows(model)
    with torch.no_grad():
        expected = model.model.encoder(torch.from_numpy(mel)).last_hidden_state.numpy()
    (states,) = open_model(name, "whisper_encoder").run(None, {"mel": mel})
    np.testing.assert_allclose(states, expected, atol=5e-5)


def test_multilingual_tokens_equal_generates(checkpoint: Checkpoints, open_model: OpenModel) -> None:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(checkpoint("multilingual")).eval()
    mel = windows(model)
    (states,) = open_model("multilingual", "whisper_encoder").run(None, {"mel": mel})
    decoder, generation = open_model("multilingual", "whisper_decoder"), model.generation_config
    detected = model.detect_language(torch.from_numpy(mel), generation_config=generation).numpy()
    np.testing.assert_array_equal(decode(decoder, states)["chosen_language"][:, 0], detected)
    for language, task in (("ko", "transcribe"), ("en", "transcribe"), ("ja", "translate")):
        result = decode(decoder, states, generation.lang_to_id[f"<|{language}|>"], generation.task_to_id[task])
        expected = generated(model, mel, 4, language=language, task=task)
        same = (result["tokens"] == expected).all(axis=1)
        assert same.mean() >= 0.96, "ties apart, every row is the same"


def test_english_only_tokens_equal_generates(checkpoint: Checkpoints, open_model: OpenModel) -> None:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(checkpoint("english_only")).eval()
    mel = windows(model)
    (states,) = open_model("english_only", "whisper_encoder").run(None, {"mel": mel})
    result = decode(open_model("english_only", "whisper_decoder"), states)
    same = (result["tokens"] == generated(model, mel, 2)).all(axis=1)
    assert same.mean() >= 0.96, "ties apart, every row is the same"


def test_evidence_equals_a_teacher_forced_run(checkpoint: Checkpoints, open_model: OpenModel) -> None:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(checkpoint("multilingual")).eval()
    mel, generation = windows(model), model.generation_config
    (states,) = open_model("multilingual", "whisper_encoder").run(None, {"mel": mel})
    result = decode(open_model("multilingual", "whisper_decoder"), states)
    rows = np.ones((len(mel), 1), np.int64)
    start, task = generation.decoder_start_token_id, generation.task_to_id["transcribe"]
    prompt = [start * rows, result["chosen_language"], task * rows, generation.no_timestamps_token_id * rows]
    ids = torch.from_numpy(np.concatenate([*prompt, result["tokens"]], axis=1).astype(np.int64))
    with torch.no_grad():
        scores = model(torch.from_numpy(mel), decoder_input_ids=ids[:, :-1]).logits
    first = scores[:, 0].softmax(-1)
    shares = scores[:, 0, list(generation.lang_to_id.values())].softmax(-1)
    np.testing.assert_allclose(result["language_probability"][:, 0], shares.max(-1).values.numpy(), rtol=1e-4)
    no_speech = first[:, generation.no_timestamps_token_id - 1].numpy()
    np.testing.assert_allclose(result["no_speech_probability"][:, 0], no_speech, rtol=1e-3)
    scores[:, :, generation.suppress_tokens] = -torch.inf
    scores[:, 3, generation.begin_suppress_tokens] = -torch.inf
    logprobs = scores[:, 3:].log_softmax(-1).gather(2, ids[:, 4:, None])[..., 0].numpy()
    ended = np.cumsum(result["tokens"] == generation.eos_token_id, axis=1) > 1
    logprobs[ended] = 0
    np.testing.assert_allclose(result["logprobs"], logprobs, atol=2e-4)


@pytest.mark.parametrize("end_in_vocabulary", [True, False])
def test_a_tokenizer_of_older_files_equals_transformers(
    checkpoint: Checkpoints, tmp_path: Path, *, end_in_vocabulary: bool
) -> None:
    shutil.copytree(checkpoint("multilingual"), tmp_path, dirs_exist_ok=True)
    slow_tokenizer(tmp_path)
    if end_in_vocabulary:  # as OpenAI's checkpoints have it
        added = json.loads((tmp_path / "added_tokens.json").read_text())
        vocabulary = json.loads((tmp_path / "vocab.json").read_text())
        vocabulary["<|endoftext|>"] = added.pop("<|endoftext|>")
        (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
        (tmp_path / "added_tokens.json").write_text(json.dumps(added))
    theirs = transformers.WhisperTokenizer.from_pretrained(tmp_path)
    ours = Tokenizer.from_buffer(open_checkpoint(tmp_path).tokenizer)
    for text in ("thank you for calling", "はい、そうです。", "네 맞습니다", "how can i help<|endoftext|>"):
        ids = theirs.encode(text, add_special_tokens=False)
        assert ours.encode(text).ids == ids
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True)


@pytest.mark.parametrize("name", ["punctuate", "sentiment"])
def test_classifiers_equal_transformers(checkpoint: Checkpoints, open_model: OpenModel, name: str) -> None:
    kind = "Token" if name == "punctuate" else "Sequence"
    auto = getattr(transformers, f"AutoModelFor{kind}Classification")
    model = auto.from_pretrained(checkpoint(name), attn_implementation="eager").eval()
    rng = np.random.default_rng(4)
    ids, mask = rng.integers(0, 60, (8, 32)), (np.arange(32) < rng.integers(1, 33, (8, 1))).astype(np.int64)
    with torch.no_grad():
        expected = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()
    (logits,) = open_model(name, name).run(None, {"input_ids": ids, "attention_mask": mask})
    kept = mask.astype(bool) if name == "punctuate" else slice(None)
    np.testing.assert_allclose(logits[kept], expected[kept], atol=1e-4)
