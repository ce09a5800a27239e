"""What the tokens of an endpoint cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

PAID = ("read", "generated")  # kinds of tokens that an endpoint charges, in the order of their prices
DIGITS = 9  # decimals: a question may cost a millionth


def price_of(tokens: Iterable[Mapping[str, int]], count: int, prices: Sequence[float]) -> float | None:
    """The price of tokens by kind, shared by so many; `prices` are those of a million read and a million generated.

    None where there is nobody to share it.
    """
    paid = sum(kinds.get(kind, 0) * price for kinds in tokens for kind, price in zip(PAID, prices, strict=True))
    return round(paid / 1e6 / count, DIGITS) if count else None
