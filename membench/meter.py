"""What a run costs: tokens by role, seconds, and the memory of the process at its peak."""

from __future__ import annotations

import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ROLES = ("reader", "teacher", "writer", "student", "summariser", "encoder")


@dataclass
class Meter:
    """Counts tokens under the role in force. The runner holds the clock; a method cannot set it."""

    counts: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    _role: str = "reader"
    _started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def role(self, name: str) -> Iterator[None]:
        """Charge what happens inside to this role."""
        before, self._role = self._role, name
        try:
            yield
        finally:
            self._role = before

    def add(self, read: int = 0, generated: int = 0, trained: int = 0) -> None:
        """Count tokens: read (forward pass), generated (decoded), trained (forward and backward pass)."""
        for kind, n in (("read", read), ("generated", generated), ("trained", trained)):
            if n:
                self.counts[self._role][kind] += n

    def lap(self) -> tuple[float, dict[str, dict[str, int]]]:
        """Seconds and tokens since the last lap."""
        now = time.perf_counter()
        seconds, self._started = now - self._started, now
        counts = {role: dict(kinds) for role, kinds in sorted(self.counts.items())}
        self.counts.clear()
        return seconds, counts


def peak_bytes() -> int:
    """The largest resident size that this process had so far; that of one cell is `membench.peak`."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
