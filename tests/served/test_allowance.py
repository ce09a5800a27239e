"""What an endpoint may be asked for in all, asked from several threads."""

from __future__ import annotations

import threading

import pytest

from membench.served.allowance import Allowance, SpentUp


def test_what_requests_on_their_way_hold_is_waited_for() -> None:
    allowance, took = Allowance(100), threading.Event()

    def second() -> None:
        with allowance.taking(lambda: 60) as spend:
            spend(40)
        took.set()

    with allowance.taking(lambda: 80) as spend:
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not took.wait(0.2)
        spend(10)
    waiting.join(5)
    assert took.is_set()
    with (
        pytest.raises(SpentUp, match="50 tokens are spent and the next request could take 51"),
        allowance.taking(lambda: 51),
    ):
        pass


def test_what_waited_asks_again_how_much_it_may_take() -> None:
    allowance, guess, took = Allowance(100), [90], threading.Event()

    def second() -> None:
        with allowance.taking(lambda: guess[0]) as spend:
            spend(20)
        took.set()

    with allowance.taking(lambda: 90) as spend:
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not took.wait(0.2)
        spend(30)
        guess[0] = 25
    waiting.join(5)
    assert took.is_set()
    assert allowance.spent == 50
