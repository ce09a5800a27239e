"""Who plays a run: this process, or workers of one of several kinds. Nothing of it changes a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from membench.errors import MembenchError
from membench.planning.shards import Shard
from membench.planning.shards import shard as part

if TYPE_CHECKING:
    from membench.planning.request import Request
    from membench.running.progress import Reporter
    from membench.running.session import Session

PARTS = ("workers", "executor", "address", "executor_settings", "shard")


@dataclass(frozen=True)
class Workforce:
    """How many workers, of which executor ("local", "ray", "slurm"), and which part of the cells they play."""

    workers: int = 1
    executor: str = "local"
    address: str | None = None
    settings: tuple[str, ...] = ()
    shard: Shard | None = None

    def play(self, sessions: Sequence[Session], reporter: Reporter, debug: bool = False) -> list[list[dict[str, Any]]]:
        """Play what is missing of these sessions; the results of each. Raises MembenchError."""
        from membench.crew.deal import Deal
        from membench.crew.processes import Processes
        from membench.running import runner

        requests = [session.request for session in sessions]
        if self.workers == 1:
            return runner.play(sessions, reporter)
        if any(request.max_tokens_total for request in requests):
            raise MembenchError("--max-tokens-total is of one process: leave --workers out, --concurrency asks at once")
        return Deal(sessions, reporter, Processes(self.workers, requests), debug).play()

    def run(self, request: Request) -> list[dict[str, Any]]:
        """Play what is missing of a request and return the results of all its cells. Raises MembenchError."""
        from rich.console import Console

        from membench.running.progress import Reporter
        from membench.running.runner import sessions_of

        reporter = Reporter(Console(stderr=True))
        (results,) = self.play(sessions_of([request], reporter, shard=self.shard), reporter)
        return results


def workforce(
    workers: int = 1,
    executor: str = "local",
    address: str | None = None,
    executor_settings: Sequence[str] = (),
    shard: str | None = None,
) -> Workforce:
    """A workforce of what was typed. Raises MembenchError for what does not go together."""
    if executor not in ("local", "ray", "slurm"):
        raise MembenchError(f"unknown executor {executor!r}: choose from local, ray, slurm")
    if workers < 1:
        raise MembenchError(f"workers must be at least 1, got {workers}")
    if address and executor != "ray":
        raise MembenchError("address is that of a Ray cluster: say --executor ray too")
    if executor_settings and executor != "slurm":
        raise MembenchError("executor settings are those of SLURM's jobs: say --executor slurm too")
    return Workforce(workers, executor, address, tuple(executor_settings), part(shard) if shard else None)
