"""How often sentiment is right: the served model, the lexicon, and both, beside the most frequent label.

    python -m bench.sentiment --films ../shared/data/text/nsmc_ko_2000.tsv

Sets: sentences of the demo's patterns that no model was trained on, a language each; and reviews of Korean films, which
are no calls. The model is the one in `model_repository`, served by a Triton that is started for it.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.recipe.texts import LANGUAGES, Split, sentence

from callscope.analysis.tempering import temper
from callscope.call import Sentiment
from callscope.embedded import server_url
from callscope.settings import load_settings
from callscope.text.normalize import normalize
from callscope.triton.concurrency import map_concurrently
from callscope.triton.sentiment import SentimentModel
from callscope.triton.transport import connect

SENTENCES = 400
FILM_LABELS = {"pos": "positive", "neu": "neutral", "neg": "negative"}
REPLIES = Path(__file__).with_name("replies.toml")
START, END = "<!-- measured -->", "<!-- end -->"
HEADING = (
    "| texts | count | majority | model | lexicon | both | lexicon speaks up |\n|---|---:|---:|---:|---:|---:|---:|"
)
REPLY_HEADING = (
    "| replies | count | model | model, after the question | both | both, after the question |\n"
    "|---|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and how it sounds."""

    text: str
    label: str


def demo_sentences(language: str, split: Split) -> list[Labelled]:
    """Sentences of patterns of one split, the same in every run."""
    rng = random.Random(f"sentiment {split} {language}")
    made = (sentence(language, split, rng) for _ in range(SENTENCES))
    return [Labelled(text, pattern.sentiment) for pattern, text in made]


def film_reviews(file: Path) -> list[Labelled]:
    """Reviews with their labels."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Labelled(normalize(row["text"]), FILM_LABELS[row["label"]]) for row in rows]


async def row(name: str, language: str, texts: Sequence[Labelled], model: SentimentModel) -> str:
    """One line of the table."""
    judged = await map_concurrently(model.classify, [one.text for one in texts], limit=16)
    alone = [temper(None, one.text, language) for one in texts]
    both = [temper(judgement, one.text, language) for judgement, one in zip(judged, texts, strict=True)]
    majority = Counter(one.label for one in texts).most_common(1)[0][1] / len(texts)
    found = sum(1 for one in alone if one and one.lexicon) / len(texts)
    figures = [majority, *(_accuracy(some, texts) for some in (judged, alone, both)), found]
    return f"| {name} | {len(texts)} | " + " | ".join(f"{100 * figure:.1f} %" for figure in figures) + " |"


def _accuracy(judged: Sequence[Sentiment | None], texts: Sequence[Labelled]) -> float:
    right = sum(1 for one, text in zip(judged, texts, strict=True) if one and one.label == text.label)
    return right / len(texts)


async def table(url: str, films: Sequence[Labelled], split: Split) -> str:
    """The whole table."""
    transport = connect(url)
    model = await SentimentModel.from_server(transport)
    lines = [
        await row(f"demo, {language}, {split}", language, demo_sentences(language, split), model)
        for language in LANGUAGES
    ]
    if films:
        lines.append(await row("films, ko", "ko", films, model))
    lines += ["", REPLY_HEADING]
    lines += [await reply_row(language, split, model) for split in ("seen", "unseen") for language in LANGUAGES]
    await transport.close()
    return "\n".join([HEADING, *lines])


async def reply_row(language: str, split: str, model: SentimentModel) -> str:
    """Short replies, by model and by both, heard alone and together with what they answer."""
    rows = tomllib.loads(REPLIES.read_text(encoding="utf-8"))[split][language]
    texts = [Labelled(reply, label) for _, reply, label in rows]
    alone = await map_concurrently(model.classify, [one.text for one in texts], limit=16)
    after = [await model.classify(reply, before) for before, reply, _ in rows]
    both = [temper(one, text.text, language) for one, text in zip(alone, texts, strict=True)]
    asked = [temper(one, reply, language, before) for one, (before, reply, _) in zip(alone, rows, strict=True)]
    figures = (_accuracy(some, texts) for some in (alone, after, both, asked))
    return f"| {language}, {split} | {len(rows)} | " + " | ".join(f"{100 * figure:.0f} %" for figure in figures) + " |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, default=Path("../shared/data/text/nsmc_ko_2000.tsv"))
    parser.add_argument("--split", choices=["train", "held-out"], default="held-out", help="the demo's patterns")
    parser.add_argument("--page", type=Path, help="the Markdown file whose table is replaced")
    options = parser.parse_args()
    films = film_reviews(options.films) if options.films.is_file() else []
    with server_url(load_settings().settings) as url:
        made = asyncio.run(table(url, films, options.split))
    print(made)
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        before, rest = page.split(START)
        options.page.write_text(f"{before}{START}\n{made}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
