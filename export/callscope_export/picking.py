"""The part of the decoder's graph that picks each row's next token."""

from dataclasses import dataclass

import numpy as np
import onnx

from .graph import GraphBuilder
from .whisper import WhisperSettings

PRIME = 1_073_741_789
"""Below 2 ** 30, so that the square of a sum of two numbers below it, and a step, fits 63 bits."""
TOKEN_STEP, PLACE_STEP, SEED_STEP = 48_271, 69_621, 16_807
ROUNDS = (40_692, 39_373, 30_269)


@dataclass(frozen=True, slots=True)
class Pick:
    """What one step gives, each of shape (batch, 1).

    Attributes:
        token: INT64; end-of-text where the row had ended before.
        logprob: FP32; 0 where the row had ended before.
        done: BOOL; whether the row has ended now.
    """

    token: str
    logprob: str
    done: str


@dataclass(frozen=True, slots=True)
class Picker:
    """The rule by which tokens are picked.

    Attributes:
        first_mask: Added to the first scores: minus infinity where a token may not come first.
        mask: Added to all later scores.
        temperature: FP32 of shape (batch, 1), 0 for the most probable token.
        seed: INT64 of shape (batch, 1), made of the temperature.
        tokens: INT64 of shape (vocabulary,): a number for each token.
        sampling: BOOL scalar: whether any row has a temperature.
        limit: INT64 of shape (batch, 1): the most tokens of each row.
        end_of_text: The token that ends a row.
    """

    first_mask: str
    mask: str
    temperature: str
    seed: str
    tokens: str
    sampling: str
    limit: str
    end_of_text: str

    @classmethod
    def prepare(cls, graph: GraphBuilder, settings: WhisperSettings, temperature: str, max_tokens: str) -> "Picker":
        """Build the rule from the checkpoint and the request's options, in the outermost graph."""
        prompt = settings.prompt
        zero = graph.constant(np.float32(0))
        warmth = graph.op("Max", temperature, zero)
        hottest = graph.op("ReduceMax", warmth, keepdims=0)
        return cls(
            first_mask=_mask(graph, settings.vocabulary, prompt.suppress + prompt.begin_suppress),
            mask=_mask(graph, settings.vocabulary, prompt.suppress),
            temperature=warmth,
            seed=_seed(graph, warmth),
            tokens=graph.constant(np.arange(1, settings.vocabulary + 1, dtype=np.int64) * TOKEN_STEP % PRIME),
            sampling=graph.op("Greater", hottest, zero),
            limit=graph.op("Cast", max_tokens, to=onnx.TensorProto.INT64),
            end_of_text=graph.constant(np.array([[prompt.end_of_text]], np.int64)),
        )

    def pick(self, graph: GraphBuilder, scores: str, count: str, done: str | None) -> Pick:
        """Pick a token for each row.

        Args:
            graph: Where the operators go.
            scores: FP32 of shape (batch, vocabulary).
            count: INT64 scalar: how many tokens a row has with this one.
            done: BOOL of shape (batch, 1): which rows have ended; None for the first token.
        """
        allowed = graph.op("Add", scores, self.mask if done else self.first_mask)
        chosen = self._choose(graph, allowed, count)
        logprob = graph.op("GatherElements", graph.op("LogSoftmax", allowed), chosen, axis=1)
        ended = done or graph.op("Less", self.limit, count)
        token = graph.op("Where", ended, self.end_of_text, chosen)
        finished = graph.op(
            "Or", graph.op("Equal", token, self.end_of_text), graph.op("LessOrEqual", self.limit, count)
        )
        kept = graph.op("Where", ended, graph.constant(np.float32(0)), logprob)
        return Pick(token, kept, graph.op("Or", ended, finished))

    def _uniform(self, graph: GraphBuilder, count: str) -> str:
        """Numbers between 0 and 1, FP32 of shape (batch, vocabulary), the same for the same seed, place and token.

        The operators for chance give other numbers at every call: the same request would not give the same words, nor
        gRPC those of HTTP. These are squares modulo a prime, three times over.
        """
        prime = graph.integers(PRIME)
        place = graph.op("Mod", graph.op("Mul", count, graph.integers(PLACE_STEP)), prime)
        row = graph.op("Mod", graph.op("Add", self.seed, place), prime)
        number = graph.op("Add", self.tokens, row)
        for step in ROUNDS:
            shifted = graph.op("Add", number, graph.integers(step))
            number = graph.op("Mod", graph.op("Mul", shifted, shifted), prime)
        return graph.op("Div", graph.op("Cast", number, to=onnx.TensorProto.FLOAT), graph.constant(np.float32(PRIME)))

    def any_left(self, graph: GraphBuilder, done: str) -> str:
        """Tell whether any row goes on: BOOL scalar."""
        left = graph.op("Cast", graph.op("Not", done), to=onnx.TensorProto.INT32)
        return graph.op("Cast", graph.op("ReduceMax", left, keepdims=0), to=onnx.TensorProto.BOOL)

    def _choose(self, graph: GraphBuilder, scores: str, count: str) -> str:
        """Take the largest score plus Gumbel noise times temperature: a sample from softmax(scores / temperature).

        Without noise where no row wants it; a row of temperature 0 stays as it is in any company.
        """
        noisy, plain = graph.body("sampling"), graph.body("greedy")
        uniform = self._uniform(noisy, count)
        smallest, largest = noisy.constant(np.float32(1e-10)), noisy.constant(np.float32(1 - 2**-24))
        inner = noisy.op("Neg", noisy.op("Log", noisy.op("Clip", uniform, smallest, largest)))
        noise = noisy.op("Neg", noisy.op("Log", inner))
        heated = noisy.op("Add", scores, noisy.op("Mul", noise, self.temperature))
        noisy.result(noisy.op("ArgMax", heated, axis=1, keepdims=1), "INT64")
        plain.result(plain.op("ArgMax", scores, axis=1, keepdims=1), "INT64")
        return graph.op("If", self.sampling, then_branch=noisy.graph(), else_branch=plain.graph())


def _seed(graph: GraphBuilder, temperature: str) -> str:
    millionths = graph.op("Round", graph.op("Mul", temperature, graph.constant(np.float32(1e6))))
    number = graph.op("Mul", graph.op("Cast", millionths, to=onnx.TensorProto.INT64), graph.integers(SEED_STEP))
    return graph.op("Mod", number, graph.integers(PRIME))


def _mask(graph: GraphBuilder, vocabulary: int, suppressed: tuple[int, ...]) -> str:
    mask = np.zeros(vocabulary, np.float32)
    mask[list(suppressed)] = -np.inf
    return graph.constant(mask)
