"""The models `whisper_encoder` and `whisper_decoder` against plain numpy with the loop on the host."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from callscope_export.parity import LIMITS

from ..referee.host_loop import HostWhisper, softmax
from .fixture_types import Checkpoints, OpenModel

NAMES = ("multilingual", "english_only")
Case = tuple[HostWhisper, NDArray[Any], NDArray[Any]]
Cases = Callable[[str], Case]
TIE = 2e-4
"""Rows whose best scores come closer than this may differ between FP32 and float64."""


def decode(
    session: onnxruntime.InferenceSession,
    states: NDArray[Any],
    *,
    language: Any = -1,
    task: Any = -1,
    max_tokens: Any = 224,
    temperature: Any = 0.0,
) -> dict[str, NDArray[Any]]:
    rows = len(states)
    options = {
        "language": np.int32(language),
        "task": np.int32(task),
        "max_tokens": np.int32(max_tokens),
        "temperature": np.float32(temperature),
    }
    inputs = {name: np.broadcast_to(value, (rows,))[:, None].copy() for name, value in options.items()}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"states": states, **inputs}), strict=True))


@pytest.fixture(scope="module")
def case(checkpoint: Checkpoints, open_model: OpenModel) -> Cases:
    """A host, its states for twelve random windows, and the graph's."""
    cases: dict[str, Case] = {}

    def make(name: str) -> Case:
        if name not in cases:
            host, rng = HostWhisper(checkpoint(name)), np.random.default_rng(11)
            loudness = np.geomspace(0.2, 5, 12)[:, None, None]
            mel = (loudness * rng.standard_normal((12, host.config["num_mel_bins"], 100))).astype(np.float32)
            (states,) = open_model(name, "whisper_encoder").run(None, {"mel": mel})
            cases[name] = host, mel, states
        return cases[name]

    return make


def limit_of(host: HostWhisper) -> int:
    return host.config["max_target_positions"] - (4 if "lang_to_id" in host.generation else 2)


def padded(host: HostWhisper, tokens: list[int]) -> list[int]:
    return tokens + [host.generation["eos_token_id"]] * (limit_of(host) - len(tokens))


@pytest.mark.parametrize("name", NAMES)
def test_encoder_states_equal_the_hosts(case: Cases, name: str) -> None:
    host, mel, states = case(name)
    expected = np.stack([host.encode(window) for window in mel])
    np.testing.assert_allclose(states, expected, atol=5e-5)


@pytest.mark.parametrize("name", NAMES)
def test_tokens_and_evidence_equal_the_host_loops(case: Cases, open_model: OpenModel, name: str) -> None:
    host, _, states = case(name)
    result = decode(open_model(name, "whisper_decoder"), states)
    expected = [host.transcribe(row.astype(np.float64)) for row in states]
    clear = [row for row, transcript in enumerate(expected) if transcript.margin > TIE]
    assert len(clear) >= 9
    for row in clear:
        want = expected[row]
        assert result["tokens"][row].tolist() == padded(host, want.tokens)
        np.testing.assert_allclose(result["logprobs"][row][: len(want.tokens)], want.logprobs, atol=1e-4)
        assert (result["logprobs"][row][len(want.tokens) :] == 0).all()
        assert result["chosen_language"][row, 0] == want.language
        np.testing.assert_allclose(result["language_probability"][row, 0], want.language_probability, rtol=1e-4)
        np.testing.assert_allclose(result["no_speech_probability"][row, 0], want.no_speech_probability, rtol=1e-4)
    lengths = {len(transcript.tokens) for transcript in expected}
    assert len(lengths) > 2, "rows must end at different places for this test to mean something"


def test_a_language_and_a_task_can_be_given_row_by_row(case: Cases, open_model: OpenModel) -> None:
    host, _, states = case("multilingual")
    languages = host.generation["lang_to_id"]
    tasks = host.generation["task_to_id"]
    wanted = [("<|en|>", "transcribe"), ("<|ja|>", "translate"), ("<|ko|>", "transcribe"), ("<|ja|>", "transcribe")]
    result = decode(
        open_model("multilingual", "whisper_decoder"),
        np.repeat(states[:3], 4, axis=0),
        language=np.array([languages[language] for language, _ in wanted] * 3),
        task=np.array([tasks[task] for _, task in wanted] * 3),
    )
    for row, (language, task) in enumerate(wanted * 3):
        want = host.transcribe(states[row // 4].astype(np.float64), language=languages[language], task=task)
        assert result["chosen_language"][row, 0] == languages[language]
        np.testing.assert_allclose(result["language_probability"][row, 0], want.language_probability, rtol=1e-4)
        assert want.margin < TIE or result["tokens"][row].tolist() == padded(host, want.tokens)


def test_a_number_that_is_no_language_or_task_counts_as_none(case: Cases, open_model: OpenModel) -> None:
    _, _, states = case("multilingual")
    session = open_model("multilingual", "whisper_decoder")
    default, odd = decode(session, states), decode(session, states, language=10**6, task=3)
    for name, values in default.items():
        np.testing.assert_array_equal(odd[name], values)


def test_english_only_models_ignore_language_and_task(case: Cases, open_model: OpenModel) -> None:
    _, _, states = case("english_only")
    session = open_model("english_only", "whisper_decoder")
    default, odd = decode(session, states), decode(session, states, language=5, task=6)
    assert (default["chosen_language"] == -1).all()
    assert (default["language_probability"] == 1).all()
    np.testing.assert_array_equal(odd["tokens"], default["tokens"])


def test_each_row_stops_at_its_own_limit(case: Cases, open_model: OpenModel) -> None:
    host, _, states = case("multilingual")
    session, end, most = open_model("multilingual", "whisper_decoder"), host.generation["eos_token_id"], limit_of(host)
    free = decode(session, states)
    limits = np.array([0, 1, 2, 3, 5, 8, 13, most - 1, most, most + 1, 10**6, -4])
    result = decode(session, states, max_tokens=limits)
    for row, limit in enumerate(np.clip(limits, 0, most)):
        expected = free["tokens"][row].copy()
        expected[limit:] = end
        np.testing.assert_array_equal(result["tokens"][row], expected)
        np.testing.assert_allclose(result["logprobs"][row][:limit], free["logprobs"][row][:limit], atol=1e-6)
        assert (result["logprobs"][row][limit:] == 0).all()


def test_a_batch_that_wants_no_tokens_still_gives_its_evidence(case: Cases, open_model: OpenModel) -> None:
    host, _, states = case("multilingual")
    session = open_model("multilingual", "whisper_decoder")
    free, none = decode(session, states), decode(session, states, max_tokens=0)
    assert (none["tokens"] == host.generation["eos_token_id"]).all()
    assert (none["logprobs"] == 0).all()
    np.testing.assert_array_equal(none["no_speech_probability"], free["no_speech_probability"])
    np.testing.assert_array_equal(none["chosen_language"], free["chosen_language"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_row_is_the_same_alone_and_in_any_company(
    case: Cases, open_model: OpenModel, name: str, precision: str
) -> None:
    _, mel, _ = case(name)
    encoder, decoder = (open_model(name, model, precision) for model in ("whisper_encoder", "whisper_decoder"))
    (states,) = encoder.run(None, {"mel": mel})
    together = decode(decoder, states)
    for row in range(len(mel)):
        (own,) = encoder.run(None, {"mel": mel[row : row + 1]})
        np.testing.assert_array_equal(own[0], states[row])
        alone = decode(decoder, own)
        np.testing.assert_array_equal(alone["tokens"][0], together["tokens"][row])
        np.testing.assert_allclose(alone["logprobs"][0], together["logprobs"][row], atol=1e-5)
    louder = np.concatenate([mel[:1], 1000 * mel[1:4]])
    (beside_loud,) = encoder.run(None, {"mel": louder})
    np.testing.assert_array_equal(beside_loud[0], states[0])


def test_suppressed_tokens_never_come_and_some_never_first(case: Cases, open_model: OpenModel) -> None:
    host, _, states = case("multilingual")
    result = decode(open_model("multilingual", "whisper_decoder"), np.repeat(states, 20, axis=0), temperature=5.0)
    tokens, end = result["tokens"], host.generation["eos_token_id"]
    assert not np.isin(tokens, host.generation["suppress_tokens"]).any()
    assert not np.isin(tokens[:, 0], host.generation["begin_suppress_tokens"]).any()
    assert (tokens[:, 1:] == end).any()
    assert np.isfinite(result["logprobs"]).all()


def test_a_temperature_samples_from_the_softened_distribution(case: Cases, open_model: OpenModel) -> None:
    host, _, states = case("multilingual")
    rows, temperature = 4000, 1.5
    language = host.generation["lang_to_id"]["<|en|>"]
    many = np.repeat(states[:1], rows, axis=0)
    session = open_model("multilingual", "whisper_decoder")
    seeds = temperature + 2e-6 * np.arange(rows)
    result = decode(session, many, language=language, max_tokens=1, temperature=seeds)
    scores = host.allowed(host.scores(states[0].astype(np.float64), host.prompt(language))[-1], first=True)
    expected = softmax(scores / temperature)
    found = np.bincount(result["tokens"][:, 0], minlength=len(scores)) / rows
    assert np.abs(found - expected).max() < 4 * np.sqrt(0.25 / rows)
    assert np.abs(found - softmax(scores)).max() > 0.05, "the temperature must matter for this test to mean something"
    chosen = result["tokens"][:, 0]
    np.testing.assert_allclose(result["logprobs"][:, 0], np.log(softmax(scores)[chosen]), atol=1e-4)


def test_sampling_differs_between_rows_and_steps_but_leaves_greedy_rows_alone(
    case: Cases, open_model: OpenModel
) -> None:
    _, _, states = case("multilingual")
    session = open_model("multilingual", "whisper_decoder")
    greedy = decode(session, np.repeat(states[:2], 8, axis=0))
    temperatures = np.array([0.0, 3.0] * 8) * (1 + 1e-5 * np.arange(16))
    mixed = decode(session, np.repeat(states[:2], 8, axis=0), temperature=temperatures)
    np.testing.assert_array_equal(mixed["tokens"][::2], greedy["tokens"][::2])
    np.testing.assert_allclose(mixed["logprobs"][::2], greedy["logprobs"][::2], atol=1e-6)
    assert len({tuple(row) for row in mixed["tokens"][1::2]}) == 8
    long = mixed["tokens"][1::2][:, :4]
    assert all(len(set(row)) > 1 for row in long)


def test_the_same_request_gives_the_same_sample_alone_and_in_company(case: Cases, open_model: OpenModel) -> None:
    _, _, states = case("multilingual")
    session, temperatures = open_model("multilingual", "whisper_decoder"), np.linspace(0.2, 3, len(states))
    together = decode(session, states, temperature=temperatures)
    for row, temperature in enumerate(temperatures):
        alone = decode(session, states[row : row + 1], temperature=temperature)
        np.testing.assert_array_equal(alone["tokens"][0], together["tokens"][row])
    assert (together["tokens"] != decode(session, states)["tokens"]).any()


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 0.02), ("int8", 0.25)])
@pytest.mark.parametrize("name", NAMES)
def test_smaller_precisions_stay_close_to_fp32(
    case: Cases, open_model: OpenModel, name: str, precision: str, tolerance: float
) -> None:
    host, mel, states = case(name)
    (coarse,) = open_model(name, "whisper_encoder", precision).run(None, {"mel": mel})
    difference = coarse.astype(np.float64) - states
    assert precision == "int8" or np.abs(difference).max() < tolerance
    assert np.sqrt((difference**2).mean() / (states.astype(np.float64) ** 2).mean()) < LIMITS[precision].states
    exact = decode(open_model(name, "whisper_decoder"), states, max_tokens=1)
    dtype = np.float16 if precision == "fp16" else np.float32
    rough = decode(open_model(name, "whisper_decoder", precision), states.astype(dtype), max_tokens=1)
    same = exact["tokens"][:, 0] == rough["tokens"][:, 0]
    assert same.mean() >= 0.75
    assert np.abs(exact["logprobs"][same] - rough["logprobs"][same]).max() < 10 * tolerance
    np.testing.assert_allclose(exact["language_probability"], rough["language_probability"], atol=4 * tolerance)
    assert host.generation["eos_token_id"] not in exact["tokens"][:, 0]
