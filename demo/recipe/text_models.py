"""Trains the demo punctuation tagger and sentiment classifier: two small BERTs on the demo sentences."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from demo.recipe import texts
from demo.recipe.optimizers import Optimizers, learning_rate
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

PUNCTUATION = ("O", "COMMA", "PERIOD", "QUESTION")
SENTIMENT = ("negative", "neutral", "positive")
MARKS = {",": "COMMA", "、": "COMMA", ".": "PERIOD", "。": "PERIOD", "?": "QUESTION", "？": "QUESTION"}
IGNORE = -100
UNKNOWN_SHARE = 0.03  # tokens hidden in training: a recogniser's text has words that are wrong
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclass(frozen=True, slots=True)
class Sample:
    """A text and its labels: one for sentiment, one a token for punctuation."""

    ids: list[int]
    labels: list[int]


def train_tokenizer(sentences: int = 8_000) -> Tokenizer:
    """One piece a character for Japanese and Korean, word pieces for English; a space is a piece of its own."""
    rng = random.Random("text tokenizer")
    corpus = [texts.sentence(language, "train", rng)[1] for _ in range(sentences) for language in texts.LANGUAGES]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="never"),
            pre_tokenizers.Split(Regex(r"[^\x00-\x7f]|[,.?]"), "isolated"),
        ]
    )
    alphabet = sorted({character for text in corpus for character in text.lower()})
    trainer = trainers.WordPieceTrainer(
        vocab_size=len(alphabet) + 1_200, initial_alphabet=alphabet, special_tokens=list(SPECIAL), show_progress=False
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def _wrapped(tokenizer: Tokenizer, ids: list[int]) -> list[int]:
    return [tokenizer.token_to_id("[CLS]"), *ids, tokenizer.token_to_id("[SEP]")]


def marks_after(text: str) -> tuple[str, list[tuple[int, str]]]:
    """A punctuated text -> the text as the recogniser writes it, and (end of what is before, label) of each mark."""
    plain, found = "", []
    for character in text:
        if character in MARKS:
            found.append((len(plain), MARKS[character]))
        else:
            plain += character.lower()
    return plain, found


def punctuation_sample(tokenizer: Tokenizer, language: str, split: texts.Split, rng: random.Random) -> Sample:
    """One to four sentences of a speaker without their marks."""
    said = [texts.sentence(language, split, rng)[1] for _ in range(rng.choices((1, 2, 3, 4), (4, 4, 2, 1))[0])]
    plain, found = marks_after(("" if language == "ja" else " ").join(said))
    encoding = tokenizer.encode(plain, add_special_tokens=False)
    at_end = {end: PUNCTUATION.index(label) for end, label in found}
    labels = [at_end.get(end, 0) for _, end in encoding.offsets]
    return Sample(_wrapped(tokenizer, encoding.ids), [IGNORE, *labels, IGNORE])


def sentiment_sample(tokenizer: Tokenizer, language: str, split: texts.Split, rng: random.Random) -> Sample:
    """One sentence, with or without its marks."""
    pattern, text = texts.sentence(language, split, rng)
    if rng.random() < 0.3:
        text = texts.spoken(text)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return Sample(_wrapped(tokenizer, ids), [SENTIMENT.index(pattern.sentiment)])


Maker = Callable[[Tokenizer, str, texts.Split, random.Random], Sample]


def batches(make: Maker, tokenizer: Tokenizer, rng: random.Random, rows: int) -> Iterator[list[Sample]]:
    """Endless training batches of all three languages."""
    while True:
        yield [make(tokenizer, rng.choice(texts.LANGUAGES), "train", rng) for _ in range(rows)]


def configuration(tokenizer: Tokenizer, labels: Sequence[str]) -> BertConfig:
    """A small BERT."""
    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=256,
        type_vocab_size=1,
        pad_token_id=tokenizer.token_to_id("[PAD]"),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )


def tensors(samples: list[Sample], rng: random.Random | None = None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, attention mask and labels; with `rng`, some ids become unknown."""
    ids = [list(sample.ids) for sample in samples]
    if rng:
        for row in ids:
            for place in range(1, len(row) - 1):
                if rng.random() < UNKNOWN_SHARE:
                    row[place] = SPECIAL.index("[UNK]")
    padded = pad_sequence([torch.tensor(row) for row in ids], batch_first=True)
    mask = pad_sequence([torch.ones(len(row), dtype=torch.long) for row in ids], batch_first=True)
    labels = pad_sequence([torch.tensor(sample.labels) for sample in samples], batch_first=True, padding_value=IGNORE)
    return padded, mask, labels


def fit(model: PreTrainedModel, make: Maker, tokenizer: Tokenizer, options: argparse.Namespace) -> None:
    """Cross entropy."""
    rng = random.Random(options.seed)
    optimizers = Optimizers(model, weight_decay=0.02)
    stream = batches(make, tokenizer, rng, options.rows)
    model.train()
    for step in range(options.steps):
        ids, mask, labels = tensors(next(stream), rng)
        logits = model(input_ids=ids, attention_mask=mask).logits
        loss = functional.cross_entropy(
            logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORE, label_smoothing=0.05
        )
        optimizers.step(loss, learning_rate(step, options.steps, options.peak))
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} loss {loss.item():.3f}", flush=True)
    model.eval()


@torch.no_grad()
def predict(model: PreTrainedModel, samples: list[Sample]) -> list[tuple[int, int]]:
    """(reference, predicted) of every label."""
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(samples), 64):
        ids, mask, labels = tensors(samples[start : start + 64])
        best = model(input_ids=ids, attention_mask=mask).logits.argmax(-1)
        labels = labels[:, 0] if best.dim() == 1 else labels
        kept = labels != IGNORE
        pairs += list(zip(labels[kept].tolist(), best[kept].tolist(), strict=True))
    return pairs


def f1(pairs: list[tuple[int, int]], label: int) -> float:
    """F1 of one label."""
    hits = sum(reference == predicted == label for reference, predicted in pairs)
    said = sum(reference == label for reference, _ in pairs) + sum(predicted == label for _, predicted in pairs)
    return 2 * hits / said if said else 0.0


def table(model: PreTrainedModel, make: Maker, tokenizer: Tokenizer, labels: Sequence[str]) -> str:
    """Held-out patterns: accuracy beside the majority class's, and F1 of each label, by language."""
    lines = [f"| language | labels | accuracy | majority | {' | '.join(f'F1 {label}' for label in labels)} |"]
    lines.append("|---" * (len(labels) + 4) + "|")
    for language in texts.LANGUAGES:
        rng = random.Random(f"held-out {language}")
        pairs = predict(model, [make(tokenizer, language, "held-out", rng) for _ in range(400)])
        counts = [sum(reference == index for reference, _ in pairs) for index in range(len(labels))]
        right = sum(reference == predicted for reference, predicted in pairs) / len(pairs)
        scores = " | ".join(f"{f1(pairs, index):.3f}" for index in range(len(labels)))
        lines.append(f"| {language} | {len(pairs)} | {right:.3f} | {max(counts) / len(pairs):.3f} | {scores} |")
    return "\n".join(lines)


def save(model: PreTrainedModel, tokenizer: Tokenizer, folder: Path) -> None:
    """A Hugging Face folder, weights in half precision."""
    model.half().save_pretrained(folder, safe_serialization=True)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=256,
    ).save_pretrained(folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=("punctuate", "sentiment"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--peak", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    tokenizer = train_tokenizer()
    punctuate = options.model == "punctuate"
    labels = PUNCTUATION if punctuate else SENTIMENT
    kind = BertForTokenClassification if punctuate else BertForSequenceClassification
    make = punctuation_sample if punctuate else sentiment_sample
    model = kind(configuration(tokenizer, labels))
    fit(model, make, tokenizer, options)
    print(scores := table(model, make, tokenizer, labels))
    save(model, tokenizer, options.output)
    (options.output / "held_out.md").write_text(scores + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
