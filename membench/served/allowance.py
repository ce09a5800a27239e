"""How many tokens an endpoint may be asked for in all; asked from several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from membench.errors import MembenchError


class SpentUp(MembenchError):
    """The next request could pass the limit on tokens."""


class Allowance:
    """Tokens that were spent, of at most `limit` (None: as many as it takes)."""

    def __init__(self, limit: int | None):
        self.limit = limit
        self.spent = 0
        self._held = 0  # by requests on their way
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, most: Callable[[], int]) -> Iterator[Callable[[int], None]]:
        """Hold as many tokens as a request may take; what it is given says what it took.

        While requests on their way hold too much of the limit it waits for them, as they mostly take less; `most` is
        asked again then, as replies teach what a request takes. Raises SpentUp before the request is sent.
        """
        with self._changed:
            need = most()
            while self.limit is not None and self.spent + self._held + need > self.limit:
                if not self._held:
                    raise SpentUp(
                        f"--max-tokens-total {self.limit}: {self.spent:,} tokens are spent and the next request could "
                        f"take {need:,}; the same command with a higher limit goes on from here"
                    )
                self._changed.wait()
                need = most()
            self._held += need
        try:
            yield self._spend
        finally:
            with self._changed:
                self._held -= need
                self._changed.notify_all()

    def _spend(self, tokens: int) -> None:
        with self._changed:
            self.spent += tokens
