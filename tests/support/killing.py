"""Plays requests in processes of their own and kills them (SIGKILL); the tests of resuming start it as a program.

It reads JSON from standard input: a list of groups of jobs. The groups follow one another, the jobs of a group run at
once. A job is {"request": fields of Request, "kill": [point, what, number] or null, "after": seconds or null,
"host": a name or null}. It writes the signal that ended each job (0 if none did). Jobs are forked, so that torch is
imported once.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import filelock
import torch
from rich.console import Console
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast  # imported here, so that no job has to

from membench.io import locks
from membench.planning.request import Request
from membench.playing import drift
from membench.plugins import registry
from membench.running import runner

PLAYED = (("methods", "selfparam"), ("methods", "bm25"), ("tasks", "sequential"), ("data", "jsonl"))
IMPORTED = (LlamaForCausalLM, PreTrainedTokenizerFast, *(registry.load(*named) for named in PLAYED))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str, what: str, number: int) -> None:
    """Die at the `number`-th time that the process comes to a point.

    "train": an optimiser step. "drift": prompts are read in a Drift step. "tear": half of a record of type `what` is
    written. "before", "after": the rename of a file whose name ends in `what`.
    """
    left = number
    step, write, replace, follow = torch.optim.AdamW.step, os.write, os.replace, drift.follow

    def due(here: bool) -> bool:
        nonlocal left
        left -= here
        return here and left == 0

    def training(*arguments: Any, **options: Any) -> Any:
        if due(point == "train"):
            die()
        return step(*arguments, **options)

    def following(*arguments: Any) -> Any:
        if due(point == "drift"):
            die()
        return follow(*arguments)

    def writing(descriptor: int, data: bytes) -> int:
        if due(point == "tear" and bytes(data).startswith(f'{{"type":"{what}"'.encode())):
            write(descriptor, data[: len(data) // 2])
            die()
        return write(descriptor, data)

    def renaming(source: str, target: str) -> None:
        last = due(point in ("before", "after") and str(target).endswith(what))
        if last and point == "before":
            die()
        replace(source, target)
        if last:
            die()

    torch.optim.AdamW.step = training  # type: ignore[method-assign]
    drift.follow = following  # type: ignore[assignment]
    os.write = writing  # type: ignore[assignment]
    os.replace = renaming  # type: ignore[assignment]


def elsewhere(host: str) -> None:
    """Be on a host of this name, and on a file system without locks: the lease alone holds, for a short while."""
    socket.gethostname = lambda: host
    locks.LEASE_SECONDS = 1.0
    filelock.FileLock.acquire = lambda *_, **__: None  # type: ignore[method-assign,assignment]


def start(job: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        if job.get("after"):
            threading.Timer(job["after"], os.kill, (child, signal.SIGKILL)).start()
        return child
    try:
        if job.get("host"):
            elsewhere(job["host"])
        if job.get("kill"):
            arm(*job["kill"])
        request: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in job["request"].items()}
        request["output"] = Path(request["output"])
        runner.run(Request(**request), Console(stderr=True))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    ended = []
    for group in json.load(sys.stdin):
        children = [start(job) for job in group]
        statuses = [os.waitpid(child, 0)[1] for child in children]
        ended.append([os.WTERMSIG(s) if os.WIFSIGNALED(s) else -os.WEXITSTATUS(s) for s in statuses])
    print(json.dumps(ended))


if __name__ == "__main__":
    main()
