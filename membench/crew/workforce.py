"""Who plays a run: this process, or workers of one of several kinds. Nothing of it changes a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from membench.errors import MembenchError
from membench.planning.shards import Shard
from membench.planning.shards import shard as part

if TYPE_CHECKING:
    from membench.crew.deal import Crew
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
        from membench.running import runner

        if self.executor == "local" and self.workers == 1:
            return runner.play(sessions, reporter)
        if any(session.request.max_tokens_total for session in sessions):
            raise MembenchError("--max-tokens-total is of one process: leave --workers out, --concurrency asks at once")
        if self.executor == "slurm":
            from membench.crew import slurm_jobs

            return slurm_jobs.play(sessions, reporter, self.workers, self.settings, self.shard)
        return Deal(sessions, reporter, self._crew([session.request for session in sessions]), debug).play()

    def _crew(self, requests: Sequence[Request]) -> Crew:
        if self.executor == "ray":
            from membench.crew.ray_actors import Actors

            return Actors(self.workers, requests, self.address)
        from membench.crew.processes import Processes

        return Processes(self.workers, requests)

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
