"""What an endpoint may be asked for in all, asked from several threads."""

from __future__ import annotations

import threading

import pytest

from membench.served.allowance import Allowance, SpentUp


@pytest.mark.parametrize(("before", "after", "holds", "takes"), [(60, 60, 80, 10), (90, 25, 90, 30)])
def test_what_requests_on_their_way_hold_is_waited_for(before: int, after: int, holds: int, takes: int) -> None:
    """A request that waited says again how much it may take, which replies have taught by then."""
    allowance, most, took = Allowance(100), [before], threading.Event()

    def second() -> None:
        with allowance.taking(lambda: most[0]) as spend:
            spend(20)
        took.set()

    with allowance.taking(lambda: holds) as spend:
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not took.wait(0.2)
        spend(takes)
        most[0] = after
    waiting.join(5)
    assert took.is_set()
    assert allowance.spent == takes + 20


def test_what_would_go_over_the_limit_is_not_sent() -> None:
    allowance = Allowance(100)
    with allowance.taking(lambda: 60) as spend:
        spend(50)
    with (
        pytest.raises(SpentUp, match="50 tokens are spent and the next request could take 51"),
        allowance.taking(lambda: 51),
    ):
        pass
