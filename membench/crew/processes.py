"""Workers that are processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from membench.checkpoints.devices import chosen_device
from membench.planning.request import Request


class Process:
    """A worker in a process of its own; it ends when the run does, once the cell in its hand is stored."""

    def __init__(self, number: int, environment: Mapping[str, str]):
        ours, theirs = os.pipe(), os.pipe()
        ends = [str(ours[0]), str(theirs[1])]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "membench.crew.worker_process", *ends],
            pass_fds=(ours[0], theirs[1]), env=dict(environment), stdin=subprocess.DEVNULL, stdout=2,
        )  # fmt: skip
        os.close(ours[0])
        os.close(theirs[1])
        self._write, self._read = os.fdopen(ours[1], "wb"), os.fdopen(theirs[0], "rb")
        self.number = number

    @property
    def name(self) -> str:
        """Its number and process id."""
        return f"worker {self.number} ({self.process.pid})"

    def fileno(self) -> int:
        """What becomes readable when it has answered or is gone."""
        return self._read.fileno()

    def send(self, message: Mapping[str, Any]) -> None:
        """Give it something to do; if it is gone, the next look at it says so."""
        try:
            self._write.write(json.dumps(message).encode() + b"\n")
            self._write.flush()
        except BrokenPipeError:
            return

    def answer(self) -> dict[str, Any] | str:
        """What it answers, or why it is gone."""
        line = self._read.readline()
        if line.endswith(b"\n"):
            found: dict[str, Any] = json.loads(line)
            return found
        status = self.process.wait()
        return f"{signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def stop(self) -> None:
        """End it now; what it was writing is known to be unfinished."""
        self.process.kill()
        self.process.wait()
        self._read.close()
        with contextlib.suppress(BrokenPipeError):  # what was left to say to it
            self._write.close()


class Processes:
    """A crew of processes. With several GPUs they take turns with these, and the cores are shared out."""

    def __init__(self, size: int, requests: Sequence[Request]):
        self.size = size
        self._hands: list[Process] = []
        self._free = list(range(1, size + 1))
        self._gpus = _gpus() if any(chosen_device(request.device) == "cuda" for request in requests) else []

    def hire(self) -> Process:
        """Start one more."""
        number = self._free.pop(0)
        hand = Process(number, self._environment(number))
        self._hands.append(hand)
        return hand

    def next(self) -> tuple[Process, dict[str, Any] | str]:
        """Wait for one of them to answer or to be gone."""
        with selectors.DefaultSelector() as selector:
            for hand in self._hands:
                selector.register(hand, selectors.EVENT_READ, hand)
            key, _ = selector.select()[0]
        hand = key.data
        answer = hand.answer()
        if isinstance(answer, str):
            self._hands.remove(hand)
            self._free.append(hand.number)
            hand.stop()
        return hand, answer

    def dismiss(self) -> None:
        """Stop all."""
        for hand in self._hands:
            hand.stop()
        self._hands.clear()

    def _environment(self, number: int) -> dict[str, str]:
        own = dict(os.environ)
        own.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // self.size)))
        if self._gpus:
            own["CUDA_VISIBLE_DEVICES"] = self._gpus[(number - 1) % len(self._gpus)]
        return own


def _gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [part.strip() for part in named.split(",")] if named else [str(k) for k in range(torch.cuda.device_count())]
