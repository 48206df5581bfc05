"""The model's judgement of a text, tempered by the lexicon of its language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callscope.analysis.replies import find_reply
from callscope.analysis.terms import Term, find_terms, score_terms
from callscope.call import LexiconShare, Sentence, Sentiment

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
MOST_SHARE = 0.8
"""What the lexicon's share comes near to in a text full of its terms; all of it in a bare yes or no."""
HALF_WEIGHT = 1.0
"""Weights found, without their signs, at which the lexicon has half of its greatest share."""
CLEAR = 0.25
"""From this score on, either way, the lexicon alone calls a text positive or negative."""


def temper(sentiment: Sentiment | None, text: str, language: str | None, before: str = "") -> Sentiment | None:
    """Adjust a model's sentiment by the terms of the text.

    The lexicon's share is 0.8 w / (w + 1), where w is the sum of the weights found, without their signs. Probabilities
    and score are mixed in that proportion; the label is the most probable then. A bare yes or no is judged by the
    question before it, with a share of 0.8: the model does not hear that.

    Args:
        sentiment: the model's; None where no model was asked.
        text: one sentence.
        language: en, ja or ko; any other has no lexicon.
        before: the last sentence of the other side; empty where the same side speaks on.

    Returns:
        The model's where nothing was found; the lexicon's alone without a model, and neutral if that finds nothing;
        None without either.
    """
    terms = find_terms(text, language or "")
    reply = find_reply(text, before, language or "") if before and not terms else None
    terms = (reply,) if reply else terms
    if sentiment is None:
        return _alone(terms) if language in {"en", "ja", "ko"} else None
    if not terms:
        return sentiment
    share = MOST_SHARE if reply else _share(terms)
    score = score_terms(terms)
    probabilities = _mixed(sentiment.probabilities, score, share)
    return Sentiment(
        label=max(probabilities, key=probabilities.__getitem__),
        score=(1 - share) * sentiment.score + share * score,
        probabilities=probabilities,
        source="model+lexicon",
        lexicon=LexiconShare(score, share, _texts(terms)),
    )


def mean_sentiment(sentences: Sequence[Sentence]) -> Sentiment | None:
    """The sentiment of sentences together: the mean of their figures, each weighted by its characters.

    None when none of them has a sentiment.
    """
    scored = [(len(sentence.text), sentence.sentiment) for sentence in sentences if sentence.sentiment]
    total = sum(weight for weight, _ in scored)
    if not total:
        return None
    score = sum(weight * one.score for weight, one in scored) / total
    names = dict.fromkeys(name for _, one in scored for name in one.probabilities)
    probabilities = {
        name: sum(weight * one.probabilities.get(name, 0.0) for weight, one in scored) / total for name in names
    }
    sources = {one.source for _, one in scored}
    return Sentiment(
        label=max(probabilities, key=probabilities.__getitem__) if probabilities else _label(score),
        score=score,
        probabilities=probabilities,
        source=sources.pop() if len(sources) == 1 else "model+lexicon",
        lexicon=_share_of_all([(weight / total, one.lexicon) for weight, one in scored if one.lexicon]),
    )


def _share(terms: Sequence[Term]) -> float:
    weight = sum(abs(term.weight) for term in terms)
    return MOST_SHARE * weight / (weight + HALF_WEIGHT)


def _alone(terms: Sequence[Term]) -> Sentiment:
    score = score_terms(terms)
    found = LexiconShare(score, 1.0, _texts(terms)) if terms else None
    return Sentiment(_label(score), score, {}, "lexicon", found)


def _mixed(probabilities: Mapping[str, float], score: float, share: float) -> dict[str, float]:
    """The model's probabilities with the lexicon's, whose score is as probable as not where it becomes clear."""
    sure = min(1.0, abs(score) / (2 * CLEAR))
    said = {NEGATIVE: sure if score < 0 else 0.0, NEUTRAL: 1 - sure, POSITIVE: sure if score > 0 else 0.0}
    return {name: (1 - share) * probabilities.get(name, 0.0) + share * part for name, part in said.items()}


def _share_of_all(shares: Sequence[tuple[float, LexiconShare]]) -> LexiconShare | None:
    """Of sentences of which each has a part of all characters."""
    if not shares:
        return None
    whole = sum(part * one.share for part, one in shares)
    score = sum(part * one.share * one.score for part, one in shares) / whole
    return LexiconShare(score, whole, tuple(term for _, one in shares for term in one.terms))


def _label(score: float) -> str:
    return POSITIVE if score >= CLEAR else NEGATIVE if score <= -CLEAR else NEUTRAL


def _texts(terms: Sequence[Term]) -> tuple[str, ...]:
    return tuple(term.text for term in terms)
