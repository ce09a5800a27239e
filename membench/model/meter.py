"""What a run costs: tokens by role, seconds, and the memory of the process at its peak."""

from __future__ import annotations

import re
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


ROLES = ("reader", "teacher", "writer", "student", "summariser", "encoder")


@dataclass
class Meter:
    """Counts tokens under the role in force. The runner holds the clock; a method cannot set it."""

    counts: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    _role: str = "reader"
    _charged: float = 0.0
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

    def charge(self, seconds: float) -> None:
        """Count seconds that something took when it was done; it is used again now."""
        self._charged += seconds

    def lap(self) -> tuple[float, dict[str, dict[str, int]]]:
        """Seconds, those charged included, and tokens since the last lap."""
        now = time.perf_counter()
        seconds, self._started, self._charged = now - self._started + self._charged, now, 0.0
        counts = {role: dict(kinds) for role, kinds in sorted(self.counts.items())}
        self.counts.clear()
        return seconds, counts


def peak_bytes() -> int:
    """The largest resident size that this process had so far; that of one cell is `membench.model.meter`."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


PROC = Path("/proc/self")


RESET = "5"  # to clear_refs: what is resident now is the new high-water mark (Linux, proc_pid_clear_refs(5))


class Peak:
    """Measures from when it is made on; one at a time, as there is one mark to reset.

    Without a device, of a model that is elsewhere, there is nothing to measure.
    """

    def __init__(self, device: torch.device | None, proc: Path = PROC):
        self._device = device
        self._status = proc / "status"
        self._before: int | None = None  # the process's own maximum so far, where its mark cannot be reset
        if device is None:
            return
        if device.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(device)
        elif not _reset(proc / "clear_refs"):
            self._before = peak_bytes()

    def bytes(self) -> int | None:
        """Bytes at the peak, model included: allocated on a GPU, else resident in the process.

        None of a model that is elsewhere; where the system cannot reset its mark, until the process holds more than
        it ever did before.
        """
        if self._device is None:
            return None
        if self._device.type == "cuda":
            import torch

            return int(torch.cuda.max_memory_allocated(self._device))
        if self._before is not None:
            now = peak_bytes()
            return now if now > self._before else None
        found = re.search(
            r"^VmHWM:\s*(\d+) kB$", self._status.read_text(encoding="ascii", errors="replace"), re.MULTILINE
        )
        return int(found[1]) * 1024 if found else None


def _reset(path: Path) -> bool:
    """Whether the process's high-water mark could be reset."""
    try:
        path.write_text(RESET, encoding="ascii")
    except OSError:  # another system, or a container that does not allow it
        return False
    return True
