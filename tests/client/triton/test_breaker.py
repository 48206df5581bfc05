"""The breaker against a plain account of what it promises, over any order of events."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from callscope.triton.breaker import JITTER, Breaker, State

LONGEST_S = 8.0


class Account(RuleBasedStateMachine):
    """Keeps the failures in a row, the time of opening and the trial in its own way."""

    @initialize(failures=st.integers(1, 4), factor=st.floats(1 - JITTER, 1.0))
    def begin(self, failures: int, factor: float) -> None:
        self.now, self.factor, self.failures = 0.0, factor, failures
        self.in_a_row, self.opened_at, self.openings, self.trying = 0, None, 0, False
        self.breaker = Breaker(
            failures, pause_s=1.0, longest_pause_s=LONGEST_S, clock=lambda: self.now, jitter=lambda low, high: factor
        )

    @property
    def expected(self) -> State:
        if self.opened_at is None:
            return State.CLOSED
        pause_s = min(2.0 ** (self.openings - 1), LONGEST_S) * self.factor
        return State.HALF_OPEN if self.now >= self.opened_at + pause_s else State.OPEN

    def open(self) -> None:
        self.opened_at, self.in_a_row, self.trying, self.openings = self.now, 0, False, self.openings + 1

    @rule(seconds=st.floats(0.01, 10))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.permits)
    @rule()
    def a_request_begins(self) -> None:
        self.trying = self.expected is State.HALF_OPEN
        self.breaker.begin()

    @rule()
    def one_fails(self) -> None:
        state = self.expected
        self.breaker.fail()
        if state is not State.OPEN:
            self.in_a_row += 1
            if state is State.HALF_OPEN or self.in_a_row >= self.failures:
                self.open()

    @rule()
    def one_is_answered(self) -> None:
        if self.expected is not State.OPEN:
            self.in_a_row, self.opened_at, self.openings, self.trying = 0, None, 0, False
        self.breaker.succeed()

    @rule()
    def one_is_cancelled(self) -> None:
        self.trying = False
        self.breaker.abandon()

    @invariant()
    def it_is_in_the_state_it_promises(self) -> None:
        if hasattr(self, "breaker"):
            assert self.breaker.state is self.expected

    @invariant()
    def it_permits_all_when_closed_none_when_open_and_one_between(self) -> None:
        if hasattr(self, "breaker"):
            expected = {State.CLOSED: True, State.OPEN: False, State.HALF_OPEN: not self.trying}
            assert self.breaker.permits is expected[self.expected]


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_passed_health_check_ends_the_pause_and_permits_one_trial() -> None:
    breaker = Breaker(failures=1, clock=lambda: 0.0)
    breaker.fail()
    assert not breaker.permits
    breaker.end_pause()
    assert breaker.state is State.HALF_OPEN
    breaker.begin()
    assert not breaker.permits
    breaker.succeed()
    assert breaker.state is State.CLOSED
