"""The most memory that was in use while one cell was played, not that of cells played before it in the same process."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from membench.meter import peak_bytes

if TYPE_CHECKING:
    import torch

PROC = Path("/proc/self")
RESET = "5"  # to clear_refs: what is resident now is the new high-water mark (Linux, proc_pid_clear_refs(5))


class Peak:
    """Measures from when it is made on; one at a time, as there is one mark to reset."""

    def __init__(self, device: torch.device, proc: Path = PROC):
        self._device = device
        self._status = proc / "status"
        self._before: int | None = None  # the process's own maximum so far, where its mark cannot be reset
        if device.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(device)
        elif not _reset(proc / "clear_refs"):
            self._before = peak_bytes()

    def bytes(self) -> int | None:
        """Bytes at the peak, model included: allocated on a GPU, else resident in the process.

        Where the system cannot reset its mark, None until the process holds more than it ever did before.
        """
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
