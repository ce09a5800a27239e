"""Kills runs at random moments, and looks whether the same command then ends with the records of an undisturbed run.

    python benchmarks/kills.py [KILLS] [SECONDS]

200 kills (SIGKILL) by default, within SECONDS (6) of a run's start: of a run that is alone, of some among eight writers
of one folder, of writers on two hosts whose file system has no locks, and of a run with --overwrite. Prints a line a
round, and what differs. Exit status 1 if anything does.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from membench.analysis.verify import verify
from membench.plugins.tiny_model import tiny_llm
from membench.store.cell_lock import LOCK
from tests.support.harbours import harbours
from tests.support.killed_runs import Job, play, request, stored

WRITERS = 8
KINDS = ("alone", "eight writers", "two hosts", "overwrite")
HOSTS = ("a", "b")
EACH = 6  # kills of one round, where runs follow one another


def groups(kind: str, job: dict[str, Any], seconds: float, rng: random.Random) -> list[list[Job]]:
    """What is played in one round: runs that are killed, and one that nobody kills."""

    def soon() -> float:
        return rng.uniform(0.05, seconds)

    if kind == "alone":
        return [*([{"request": job, "after": soon()}] for _ in range(EACH)), [{"request": job}]]
    if kind == "eight writers":
        killed: list[Job] = [{"request": job, "after": soon()} for _ in range(EACH)]
        return [[*killed, *({"request": job} for _ in range(WRITERS - EACH))]]
    if kind == "two hosts":
        both = [[{"request": job, "host": host, "after": soon()} for host in HOSTS] for _ in range(EACH // len(HOSTS))]
        return [*both, [{"request": job, "host": host} for host in HOSTS], [{"request": job, "host": HOSTS[0]}]]
    again = {**job, "overwrite": True}
    return [[{"request": job}], *([{"request": again, "after": soon()}] for _ in range(EACH)), [{"request": job}]]


def kept(folder: Path) -> dict[str, Any]:
    """All that is stored; but not whether the floor had been played before the reference, which each copies, nor the
    files of locks, which a file system without locks has not.
    """
    found = {name: part for name, part in stored(folder).items() if not name.endswith(f"/{LOCK}")}
    for name in found:
        if name.startswith("gold--") and name.endswith("result.json"):
            found[name] = [{key: part for key, part in result.items() if key != "yardsticks"} for result in found[name]]
    return found


def main() -> int:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 6.0
    rng, killed, wrong, number = random.Random(0), dict.fromkeys(KINDS, 0), 0, 0
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        tiny, data = tiny_llm(root / "tiny"), harbours(root / "harbours.jsonl")
        play([{"request": request(tiny, data, root / "whole")}])
        whole = kept(root / "whole")
        while sum(killed.values()) < wanted:
            kind, folder = KINDS[number % len(KINDS)], root / f"round-{number}"
            ended = play(*groups(kind, request(tiny, data, folder), seconds, rng))
            killed[kind] += sum(status == signal.SIGKILL for group in ended for status in group)
            found = kept(folder)
            differ = sorted(name for name in {*found, *whole} if found.get(name) != whole.get(name))
            unsound = [f"{v.cell.folder.name}: {v.problems}" for v in verify(folder) if not v.ok]
            wrong += bool(differ or unsound)
            print(f"round {number}, {kind}: killed {killed}; differ {differ}; unsound {unsound}", flush=True)
            number += 1
    print(f"{sum(killed.values())} kills in {number} rounds, {wrong} rounds with another outcome")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
