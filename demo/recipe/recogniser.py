"""Trains the demo recogniser: a small Whisper, with an auxiliary CTC loss on the encoder that is dropped at the end.

First the encoder alone learns to hear letters. Then the decoder joins, taught by the letters where to look; an encoder
pass costs three of a decoder's, so what was heard is kept for a while and written down several times over.

Seeded and resumable: `state.pt` in the work folder holds weights, optimizer, average and step.
"""

from __future__ import annotations

import argparse
import random
import shutil
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from demo.recipe import augment, checkpoint, guide, sounds
from demo.recipe.corpus import BUCKETS_S, RATE_HZ, Corpus, Example, bucket_s
from demo.recipe.optimizers import Optimizers, learning_rate
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

IGNORE = -100
HEADS = "heads.safetensors"
ENCODER_SHARE = 0.3  # of the encoder's own losses in the whole
WRONG_SHARE = 0.1  # decoder inputs that are another token: who cannot trust what was written has to listen
GUIDE_SHARE = 0.5
POSITION_SCALE = 2.0  # at Whisper's own scale the sound drowns the encoder's positions once it is learned
CLOCK = (*range(12, 52), *range(140, 180))  # dimensions of the encoder's positions with periods of 0.3 to 5 s
KEPT = 400  # batches of sound that the decoder can write down again
AVERAGE_EVERY = 10  # steps


class Trainee(nn.Module):
    """The recogniser and the CTC head of its encoder."""

    def __init__(self, tokenizer: Tokenizer, **sizes: int) -> None:
        super().__init__()
        self.whisper = WhisperForConditionalGeneration(checkpoint.configuration(tokenizer, **sizes))
        for convolution in (self.whisper.model.encoder.conv1, self.whisper.model.encoder.conv2):
            nn.init.kaiming_normal_(
                convolution.weight
            )  # at Whisper's own scale the position drowns a small model's sound
        with torch.no_grad():
            self.whisper.model.encoder.embed_positions.weight.mul_(POSITION_SCALE)
        self.ctc = nn.Linear(self.whisper.config.d_model, len(sounds.LETTERS) + 1)
        self.clock = nn.Linear(self.whisper.config.d_model, len(CLOCK))
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
class Heard:
    """A batch of sound as the encoder left it, for the decoder to write down again."""

    states: Tensor
    examples: list[Example]
    spans: list[guide.Spans]


class Collator:
    """Examples -> tensors, with the sound of a line."""

    def __init__(self, tokenizer: Tokenizer, features: WhisperFeatureExtractor, generator: torch.Generator) -> None:
        self.tokenizer, self.features, self.generator = tokenizer, features, generator

    def mel(self, examples: list[Example], *, full_windows: bool) -> Tensor:
        """Masked log-mel (rows, mels, frames) in windows of the model's length or of the batch's bucket."""
        length_s = BUCKETS_S[-1] if full_windows else max(map(bucket_s, examples))
        audio = torch.zeros(len(examples), int(length_s * RATE_HZ))
        for row, example in zip(audio, examples, strict=True):
            if example.text is None:
                row[:] = augment.not_speech(len(row), self.generator)
            else:
                row[: len(example.samples)] = torch.from_numpy(example.samples)
        return augment.equalize(augment.log_mel(augment.line(audio, self.generator), self.features), self.generator)

    def clean_mel(self, examples: list[Example]) -> Tensor:
        """Log-mel without the line."""
        return augment.log_mel(_pad([torch.from_numpy(example.samples) for example in examples], 0), self.features)

    def written(self, examples: list[Example]) -> tuple[Tensor, Tensor]:
        """Decoder inputs, with some tokens wrong, and targets: (rows, places) each."""
        rows = [self._row(example) for example in examples]
        tokens = _pad([tokens for tokens, _ in rows], self._id("<|endoftext|>"))
        return tokens, _pad([targets for _, targets in rows], IGNORE)

    def token_letters(self, example: Example) -> list[tuple[float, float]]:
        """The first letter of each text token and the one after its last, as places among the letters."""
        if not example.text:
            return []
        offsets = self.tokenizer.encode(example.text).offsets
        return [(float(example.places[first]), float(example.places[last])) for first, last in offsets]

    def _id(self, token: str) -> int:
        return int(self.tokenizer.token_to_id(token))

    def _row(self, example: Example) -> tuple[list[int], list[int]]:
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


def _pad(rows: list[list[int]] | list[Tensor], filler: int) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.as_tensor(row) for row in rows], batch_first=True, padding_value=filler)


def hear(trainee: Trainee, examples: list[Example], mel: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The encoder's states of a batch, the log probabilities of its letters, and its losses by name.

    A state must know its letter (`ctc`) and its time (`clock`), else the decoder cannot step from one token to the
    next, and must have looked at its neighbours (`near`).
    """
    with torch.autocast("cpu", torch.bfloat16):
        states = trainee.encode(mel)
        letters, clock = trainee.ctc(states), trainee.clock(states)
    moments = trainee.whisper.model.encoder.embed_positions.weight[: states.shape[1], CLOCK] / POSITION_SCALE
    log_probabilities = letters.float().log_softmax(-1)
    ctc = functional.ctc_loss(
        log_probabilities.transpose(0, 1),
        torch.tensor([letter for example in examples for letter in example.sounds]),
        torch.full((len(examples),), letters.shape[1]),
        torch.tensor([len(example.sounds) for example in examples]),
        sounds.BLANK,
        zero_infinity=True,
    )
    losses = {"ctc": ctc, "clock": functional.mse_loss(clock.float(), moments.expand_as(clock))}
    return states, log_probabilities.detach(), losses | {"near": trainee.guide.neighbour_loss()}


@torch.no_grad()
def align(run: Run, corpus: Corpus, collate: Collator, path: Path) -> None:
    """Cuts the corpus into words by what the encoder hears, or by what it heard of the same corpus before."""
    if not (path.exists() and len(np.load(path)["lengths"]) == len(corpus.utterances)):
        run.trainee.eval()
        found: dict[int, NDArray[np.int64]] = {}
        for numbers, examples in corpus.whole(256):
            letters = hear(run.trainee, examples, collate.clean_mel(examples))[1].numpy()
            found |= dict(zip(numbers, guide.best_path(letters, [one.sounds for one in examples]), strict=True))
        run.trainee.train()
        starts = [found[number] for number in range(len(found))]
        np.savez(path, starts=np.concatenate(starts), lengths=[len(one) for one in starts])
    with np.load(path) as file:
        corpus.cut(np.split(file["starts"], np.cumsum(file["lengths"])[:-1]))


def spans(collate: Collator, examples: list[Example], log_probabilities: Tensor) -> list[guide.Spans]:
    """Where the tokens of each example sound."""
    starts = guide.best_path(log_probabilities.numpy(), [example.sounds for example in examples])
    return [
        guide.spans(start, collate.token_letters(example), log_probabilities.shape[1])
        for start, example in zip(starts, examples, strict=True)
    ]


def write(trainee: Trainee, collate: Collator, heard: Heard) -> tuple[Tensor, Tensor]:
    """Cross entropy of the decoder, and how far its attention is from the sound of each token."""
    tokens, targets = collate.written(heard.examples)
    with torch.autocast("cpu", torch.bfloat16):
        logits = trainee.decode(tokens, heard.states)
    loss = functional.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE, label_smoothing=0.05
    )
    return loss, trainee.guide.loss(heard.spans)


@dataclass(slots=True)
class Run:
    """Everything that a resumed training needs."""

    trainee: Trainee
    average: torch.optim.swa_utils.AveragedModel
    optimizers: Optimizers
    step: int = 0

    def save(self, path: Path) -> None:
        """Written beside, then renamed: a killed training leaves the previous state."""
        state = {"trainee": self.trainee.state_dict(), "average": self.average.state_dict()}
        state |= {"optimizers": self.optimizers.state_dict(), "step": self.step}
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").rename(path)

    def load(self, path: Path) -> None:
        """Back to where `save` was called."""
        state = torch.load(path)
        self.trainee.load_state_dict(state["trainee"])
        self.average.load_state_dict(state["average"])
        self.optimizers.load_state_dict(state["optimizers"])
        self.step = state["step"]


def begin(tokenizer: Tokenizer, **sizes: int) -> Run:
    """A fresh run."""
    trainee = Trainee(tokenizer, **sizes)
    average = torch.optim.swa_utils.AveragedModel(
        trainee, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98)
    )
    return Run(trainee, average, Optimizers(trainee))


def start_from(run: Run, folder: Path) -> None:
    """Weights of a published checkpoint, with the heads that lie beside them, into a fresh run."""
    run.trainee.whisper.load_state_dict(WhisperForConditionalGeneration.from_pretrained(folder).float().state_dict())
    run.trainee.load_state_dict(load_file(folder / HEADS), strict=False)
    run.average.module.load_state_dict(run.trainee.state_dict())


def publish(run: Run, tokenizer: Tokenizer, folder: Path) -> None:
    """The averaged weights in Hugging Face's layout, and the two heads that only training needs."""
    checkpoint.save(run.average.module.whisper, tokenizer, folder)
    heads = {name: one for name, one in run.average.module.state_dict().items() if not name.startswith("whisper.")}
    save_file(heads, folder / HEADS)


def train(run: Run, corpus: Corpus, collate: Collator, options: argparse.Namespace) -> None:
    """Steps until `options.steps`, the last `options.full_steps` of them on full windows."""
    started = time.monotonic()
    stream = {full: corpus.batches(options.batch_s, full_windows=full) for full in (False, True)}
    kept: deque[Heard] = deque(maxlen=KEPT)
    losses: dict[str, list[float]] = defaultdict(list)
    run.trainee.train()
    while run.step < options.steps:
        full = run.step >= options.steps - options.full_steps
        corpus.joined = run.step >= options.single_steps
        if run.step >= options.listen_steps and not corpus.words:
            align(run, corpus, collate, options.work / "starts.npz")
        rate = learning_rate(run.step, options.steps, options.peak)
        examples = next(stream[full])
        states, letters, own = hear(run.trainee, examples, collate.mel(examples, full_windows=full))
        loss = ENCODER_SHARE * torch.stack(list(own.values())).sum()
        for name, one in own.items():
            losses[name].append(one.item())
        if run.step >= options.listen_steps:
            heard = Heard(states, examples, spans(collate, examples, letters))
            written, guided = write(run.trainee, collate, heard)
            loss = loss + (1 - ENCODER_SHARE) * written + GUIDE_SHARE * guided
            losses["written"].append(written.item())
            losses["guided"].append(guided.item())
            kept.append(Heard(states.detach(), examples, heard.spans))
        run.optimizers.step(loss, rate)
        for again in corpus.rng.choices(kept, k=options.again) if kept else ():
            written, guided = write(run.trainee, collate, again)
            run.optimizers.step((1 - ENCODER_SHARE) * written + GUIDE_SHARE * guided, rate)
            losses["again"].append(written.item())
        run.step += 1
        if run.step % AVERAGE_EVERY == 0:
            run.average.update_parameters(run.trainee)
        if run.step % 50 == 0:
            means = " ".join(f"{name} {np.mean(values):.3f}" for name, values in losses.items())
            print(f"step {run.step} {means} seconds {time.monotonic() - started:.0f}", flush=True)
            losses.clear()
        if run.step % options.save_every == 0 or run.step == options.steps:
            run.save(options.work / "state.pt")
            publish(run, collate.tokenizer, options.work / "checkpoint")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a published checkpoint to go on from")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--listen-steps", type=int, default=6_000, help="first steps, for the encoder alone")
    parser.add_argument("--single-steps", type=int, default=8_000, help="steps before utterances are joined")
    parser.add_argument("--full-steps", type=int, default=300, help="last steps, on full windows")
    parser.add_argument("--batch-s", type=float, default=64.0, help="seconds of sound a step")
    parser.add_argument("--again", type=int, default=3, help="batches heard before that a step writes down again")
    parser.add_argument("--peak", type=float, default=2e-3)
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
    print(f"{len(corpus.utterances)} utterances, from step {run.step}", flush=True)
    train(run, corpus, Collator(tokenizer, checkpoint.features(), torch.Generator().manual_seed(seed)), options)


if __name__ == "__main__":
    main()
