"""What an endpoint may be asked for in all, asked from several threads."""

from __future__ import annotations

import threading

import pytest

from membench.served.allowance import Allowance, SpentUp


def test_what_requests_on_their_way_hold_is_waited_for() -> None:
    allowance, took = Allowance(100), threading.Event()

    def second() -> None:
        with allowance.taking(60) as spend:
            spend(40)
        took.set()

    with allowance.taking(80) as spend:
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not took.wait(0.2)
        spend(10)
    waiting.join(5)
    assert took.is_set()
    with pytest.raises(SpentUp, match="50 tokens are spent and the next request could take 51"), allowance.taking(51):
        pass
