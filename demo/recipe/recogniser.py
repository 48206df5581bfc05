"""Trains the demo recogniser: a small Whisper, with an auxiliary CTC loss on the encoder that is dropped at the end.

Seeded and resumable: `state.pt` in the work folder holds weights, optimizer, average and step.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from demo.recipe import augment, checkpoint, guide, imagine, sounds, speech, texts
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

RATE_HZ = 16_000
BUCKETS_S = (1.6, 2.2, 2.8, 3.6, 4.8, 6.2, 8.0)
IGNORE = -100
CTC_SHARE = 0.3
WRONG_SHARE = 0.2  # decoder inputs that are another token: who cannot trust what was written has to listen
SAMPLES_PER_STATE = 320
AVERAGE_EVERY = 10  # steps


@dataclass(frozen=True, slots=True)
class Example:
    """Speech of one speaker and what to write; `text` is None where nobody speaks."""

    samples: NDArray[np.float32]
    text: str | None
    language: str
    sounds: tuple[int, ...] = ()
    spoken: tuple[int, int] = (0, 0)  # first and last sample of speech


class Corpus:
    """Every training utterance in memory, by language and voice, and the random examples made of them."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng = rng
        self.joined = False
        self.by_voice: dict[str, dict[str, list[speech.Utterance]]] = defaultdict(lambda: defaultdict(list))
        for path in sorted(folder.glob("train-*.npz")):
            for utterance in speech.read(path):
                self.by_voice[utterance.language][utterance.voice].append(utterance)
        self.utterances = {
            language: [one for voice in voices.values() for one in voice] for language, voices in self.by_voice.items()
        }

    def __len__(self) -> int:
        return sum(map(len, self.utterances.values()))

    def draw(self) -> Example:
        """One utterance, or several of one speaker with short pauses, or no speech."""
        language = self.rng.choice(texts.LANGUAGES)
        first = self.rng.choice(self.utterances[language])
        chance = self.rng.random()
        if chance < 0.04:
            return Example(np.zeros(int(self.rng.uniform(1, 8) * RATE_HZ), np.float32), None, language)
        more = 0 if chance < 0.62 or not self.joined else 1 if chance < 0.88 else 2
        return self._join([first, *self.rng.choices(self.by_voice[language][first.voice], k=more)])

    def _join(self, utterances: list[speech.Utterance]) -> Example:
        language, parts, said = utterances[0].language, [self._silence(0.05, 0.4)], []
        for utterance in utterances:
            longer = sum(map(len, parts)) + len(utterance.samples) > (BUCKETS_S[-1] - 0.6) * RATE_HZ
            if said and longer:
                break
            parts += [utterance.samples.astype(np.float32) / 32768, self._silence(0.1, 0.5)]
            said.append(utterance.text)
        samples = np.concatenate(parts)[: int(BUCKETS_S[-1] * RATE_HZ)]  # only ever cuts the last pause
        heard = [letter for text in said for letter in sounds.sounds(text, language)]
        spoken = len(parts[0]), min(len(samples), sum(map(len, parts[:-1])))
        return Example(samples, ("" if language == "ja" else " ").join(said), language, tuple(heard), spoken)

    def _silence(self, shortest_s: float, longest_s: float) -> NDArray[np.float32]:
        return np.zeros(int(self.rng.uniform(shortest_s, longest_s) * RATE_HZ), np.float32)

    def batches(self, seconds: float, *, full_windows: bool) -> Iterator[list[Example]]:
        """Examples of like length together, so that little is padding; about `seconds` of sound a batch."""
        while True:
            drawn = sorted((self.draw() for _ in range(512)), key=lambda example: len(example.samples))
            batches: list[list[Example]] = [[]]
            for example in drawn:
                padded_s = BUCKETS_S[-1] if full_windows else bucket_s(example)
                if (len(batches[-1]) + 1) * padded_s > seconds:
                    batches.append([])
                batches[-1].append(example)
            self.rng.shuffle(batches)
            yield from batches


def bucket_s(example: Example) -> float:
    """The shortest bucket that holds an example."""
    return next(length for length in BUCKETS_S if len(example.samples) <= length * RATE_HZ)


class Trainee(nn.Module):
    """The recogniser and the CTC head of its encoder."""

    def __init__(self, tokenizer: Tokenizer, **sizes: int) -> None:
        super().__init__()
        self.whisper = WhisperForConditionalGeneration(checkpoint.configuration(tokenizer, **sizes))
        for convolution in (self.whisper.model.encoder.conv1, self.whisper.model.encoder.conv2):
            nn.init.kaiming_normal_(
                convolution.weight
            )  # at Whisper's own scale the position drowns a small model's sound
        self.ctc = nn.Linear(self.whisper.config.d_model, len(sounds.LETTERS) + 1)
        self.guide = guide.Guide(self.whisper)

    def encode(self, mel: Tensor) -> Tensor:
        """The encoder on windows of any length: transformers' own forward insists on full ones."""
        encoder = self.whisper.model.encoder
        hidden = functional.gelu(encoder.conv1(mel))
        hidden = functional.gelu(encoder.conv2(hidden)).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        hidden = functional.dropout(hidden, self.whisper.config.dropout, self.training)
        for layer in encoder.layers:
            hidden = layer(hidden, None, None)[0]
        return encoder.layer_norm(hidden)

    def decode(self, tokens: Tensor, states: Tensor) -> Tensor:
        """Logits of the next token at each place."""
        hidden = self.whisper.model.decoder(input_ids=tokens, encoder_hidden_states=states, use_cache=False)
        return self.whisper.proj_out(hidden.last_hidden_state)


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of one step."""

    mel: Tensor
    tokens: Tensor
    targets: Tensor
    ctc: list[Tensor]
    lengths: Tensor
    spoken: Tensor


class Collator:
    """Examples -> tensors, with the sound of a line."""

    def __init__(self, tokenizer: Tokenizer, features: WhisperFeatureExtractor, generator: torch.Generator) -> None:
        self.tokenizer, self.features, self.generator = tokenizer, features, generator

    def __call__(self, examples: list[Example], *, full_windows: bool, clean: bool = False) -> Batch:
        """Collate a batch: in windows of the model's length or of the batch's bucket, with or without the line."""
        length_s = BUCKETS_S[-1] if full_windows else max(map(bucket_s, examples))
        audio = torch.zeros(len(examples), int(length_s * RATE_HZ))
        for row, example in zip(audio, examples, strict=True):
            if example.text is None:
                row[:] = augment.not_speech(len(row), self.generator)
            else:
                row[: len(example.samples)] = torch.from_numpy(example.samples)
        mel = augment.log_mel(audio if clean else augment.line(audio, self.generator), self.features)
        rows = [self._row(example) for example in examples]
        return Batch(
            mel if clean else augment.mask(mel, self.generator),
            _pad([tokens for tokens, _ in rows], self._id("<|endoftext|>")),
            _pad([targets for _, targets in rows], IGNORE),
            [torch.tensor(example.sounds, dtype=torch.long) for example in examples],
            torch.tensor([len(self.tokenizer.encode(example.text or "").ids) for example in examples]),
            torch.tensor([example.spoken for example in examples]) // SAMPLES_PER_STATE,
        )

    def _id(self, token: str) -> int:
        return int(self.tokenizer.token_to_id(token))

    def written(self, lines: list[imagine.Line]) -> tuple[Tensor, Tensor, Tensor]:
        """Decoder inputs, targets and text lengths of lines without sound."""
        rows = [self._row(line) for line in lines]
        tokens = _pad([tokens for tokens, _ in rows], self._id("<|endoftext|>"))
        targets = _pad([targets for _, targets in rows], IGNORE)
        return tokens, targets, torch.tensor([len(tokens) - 4 for tokens, _ in rows])

    def _row(self, example: Example | imagine.Line) -> tuple[list[int], list[int]]:
        text = self.tokenizer.encode(example.text or "").ids
        language = self._id(f"<|{example.language}|>")
        prompt = [self._id("<|startoftranscript|>"), language, self._id("<|transcribe|>"), self._id("<|notimestamps|>")]
        wrong = torch.rand(len(text), generator=self.generator) < WRONG_SHARE
        other = torch.randint(self.tokenizer.get_vocab_size(), (len(text),), generator=self.generator)
        written = [
            one if swap else token for token, one, swap in zip(text, other.tolist(), wrong.tolist(), strict=True)
        ]
        first = self._id("<|nospeech|>") if example.text is None else language
        return prompt + written, [first, IGNORE, IGNORE, *text, self._id("<|endoftext|>")]


def _pad(rows: list[list[int]], filler: int) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=filler)


def loss_of(trainee: Trainee, batch: Batch, guided: float) -> Tensor:
    """Cross entropy of the decoder, the encoder's CTC loss, and `guided` times the attention off the diagonal."""
    with torch.autocast("cpu", torch.bfloat16):
        states = trainee.encode(batch.mel)
        logits = trainee.decode(batch.tokens, states)
        heard = trainee.ctc(states)
    written = functional.cross_entropy(
        logits.float().flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE, label_smoothing=0.05
    )
    lengths = torch.tensor([len(text) for text in batch.ctc])
    steps = torch.full((len(batch.ctc),), heard.shape[1])
    ctc = functional.ctc_loss(
        heard.float().log_softmax(-1).transpose(0, 1),
        torch.cat(batch.ctc),
        steps,
        lengths,
        sounds.BLANK,
        zero_infinity=True,
    )
    loss = (1 - CTC_SHARE) * written + CTC_SHARE * ctc
    return loss + guided * trainee.guide.loss(batch.lengths, batch.spoken) if guided else loss


def imagined_loss(
    trainee: Trainee, collate: Collator, lines: list[imagine.Line], rng: random.Random, guided: float
) -> Tensor:
    """Cross entropy of the decoder on text without sound, and the attention off the diagonal."""
    encoder = trainee.whisper.model.encoder
    states, spoken = imagine.states(lines, trainee.ctc, encoder.embed_positions.weight, encoder.layer_norm, rng)
    tokens, targets, lengths = collate.written(lines)
    with torch.autocast("cpu", torch.bfloat16):
        logits = trainee.decode(tokens, states)
    loss = functional.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE, label_smoothing=0.05
    )
    return loss + guided * trainee.guide.loss(lengths, spoken) if guided else loss


@dataclass(slots=True)
class Run:
    """Everything that a resumed training needs."""

    trainee: Trainee
    average: torch.optim.swa_utils.AveragedModel
    optimizer: torch.optim.Optimizer
    step: int = 0

    def save(self, path: Path) -> None:
        """Written beside, then renamed: a killed training leaves the previous state."""
        state = {"trainee": self.trainee.state_dict(), "average": self.average.state_dict()}
        state |= {"optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").rename(path)

    def load(self, path: Path) -> None:
        """Back to where `save` was called."""
        state = torch.load(path)
        self.trainee.load_state_dict(state["trainee"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def begin(tokenizer: Tokenizer, **sizes: int) -> Run:
    """A fresh run."""
    trainee = Trainee(tokenizer, **sizes)
    average = torch.optim.swa_utils.AveragedModel(
        trainee, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98)
    )
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    return Run(trainee, average, optimizer)


def start_from(run: Run, folder: Path) -> None:
    """Weights of a published checkpoint, with the CTC head beside them, into a fresh run."""
    run.trainee.whisper.load_state_dict(WhisperForConditionalGeneration.from_pretrained(folder).float().state_dict())
    run.trainee.ctc.load_state_dict(load_file(folder / "ctc.safetensors"))
    run.average.module.load_state_dict(run.trainee.state_dict())


def publish(run: Run, tokenizer: Tokenizer, folder: Path) -> None:
    """The averaged weights in Hugging Face's layout, and the CTC head that only training needs."""
    checkpoint.save(run.average.module.whisper, tokenizer, folder)
    save_file(run.average.module.ctc.state_dict(), folder / "ctc.safetensors")


def learning_rate(step: int, steps: int, peak: float, warm_up: int = 200) -> float:
    """Linear warm-up, then half a cosine down to nothing."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm_up) / max(1, steps - warm_up)))) + 1e-6


def train(run: Run, corpus: Corpus, collate: Collator, options: argparse.Namespace) -> None:
    """Steps until `options.steps`, the last `options.full_steps` of them on full windows."""
    state, started = options.work / "state.pt", time.monotonic()
    full_from = options.steps - options.full_steps
    stream = {full: corpus.batches(options.batch_s, full_windows=full) for full in (False, True)}
    library = imagine.Library(corpus.rng, options.sentences)
    losses: dict[str, list[float]] = defaultdict(list)
    run.trainee.train()
    while run.step < options.steps:
        full = run.step >= full_from
        corpus.joined = run.step >= options.single_steps
        guided = 0.0 if corpus.joined else 1.0
        for group in run.optimizer.param_groups:
            group["lr"] = learning_rate(run.step, options.steps, options.peak)
        run.optimizer.zero_grad()
        if full or run.step % options.listen_every == 0:
            batch = collate(next(stream[full]), full_windows=full, clean=run.step < options.clean_steps)
            heard = loss_of(run.trainee, batch, guided)
            heard.backward()
            losses["heard"].append(heard.item())
        if options.imagined_rows and not full:
            lines = library.draw(options.imagined_rows, joined=corpus.joined)
            read = imagined_loss(run.trainee, collate, lines, corpus.rng, guided)
            read.backward()
            losses["read"].append(read.item())
        nn.utils.clip_grad_norm_(run.trainee.parameters(), 1.0)
        run.optimizer.step()
        run.step += 1
        if run.step % AVERAGE_EVERY == 0:
            run.average.update_parameters(run.trainee)
        if run.step % 50 == 0:
            means = " ".join(f"{name} {np.mean(values):.3f}" for name, values in losses.items())
            print(f"step {run.step} {means} seconds {time.monotonic() - started:.0f}", flush=True)
            losses.clear()
        if run.step % options.save_every == 0 or run.step == options.steps:
            run.save(state)
            publish(run, collate.tokenizer, options.work / "checkpoint")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a published checkpoint to go on from")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--clean-steps", type=int, default=400, help="first steps, without noise and line")
    parser.add_argument("--single-steps", type=int, default=2500, help="steps before utterances are joined")
    parser.add_argument("--full-steps", type=int, default=300, help="last steps, on full windows")
    parser.add_argument("--batch-s", type=float, default=64.0, help="seconds of sound a step")
    parser.add_argument("--sentences", type=int, default=15_000, help="written sentences a language")
    parser.add_argument("--imagined-rows", type=int, default=128, help="written sentences a step")
    parser.add_argument("--listen-every", type=int, default=1, help="steps from one batch of sound to the next")
    parser.add_argument("--peak", type=float, default=1.2e-3)
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    vocabulary = options.work / "tokenizer.json"
    if options.start and not vocabulary.exists():
        shutil.copy(options.start / "tokenizer.json", vocabulary)
    elif not vocabulary.exists():
        checkpoint.train_tokenizer().save(str(vocabulary))
    tokenizer = Tokenizer.from_file(str(vocabulary))
    run = begin(tokenizer)
    if (options.work / "state.pt").exists():
        run.load(options.work / "state.pt")
    elif options.start:
        start_from(run, options.start)
    seed = options.seed * 1_000_003 + run.step
    corpus = Corpus(options.speech, random.Random(seed))
    print(f"{len(corpus)} utterances, from step {run.step}", flush=True)
    train(run, corpus, Collator(tokenizer, checkpoint.features(), torch.Generator().manual_seed(seed)), options)


if __name__ == "__main__":
    main()
