"""Signals that end a process: in order, at once, or not at all where that was asked for."""

import signal

import pytest

from vaelib.plumbing import interruption

from ..signals import ENDING


@pytest.fixture(autouse=True)
def handlers():
    """Signals as a process begins with them; afterwards as they were."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def now():
    return [signal.getsignal(number) for number in ENDING]


def test_what_would_end_a_process_interrupts_it_or_ends_it_at_once():
    interruption.end_as_interrupted()
    assert now() == [signal.default_int_handler] * 3
    interruption.end_at_once()
    assert now() == [signal.SIG_DFL] * 3


@pytest.mark.parametrize("end", [interruption.end_as_interrupted, interruption.end_at_once])
def test_what_is_ignored_stays_ignored(end):
    signal.signal(ENDING[2], signal.SIG_IGN)
    end()
    assert now()[2] == signal.SIG_IGN
