"""The program of a worker that is a process: messages come a line each by one pipe, answers go by another."""

from __future__ import annotations

import json
import os
import signal
import sys

from membench.crew.worker import Worker


def main(reading: int, writing: int) -> None:
    """Answer messages until the run is over or gone; the run alone is stopped by a key."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker()
    with os.fdopen(reading, "rb") as messages, os.fdopen(writing, "wb") as answers:
        for line in messages:
            answer = json.dumps(worker.answer(json.loads(line))).encode() + b"\n"
            try:
                answers.write(answer)
                answers.flush()
            except BrokenPipeError:  # the run is gone, and what was played is stored
                os._exit(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
