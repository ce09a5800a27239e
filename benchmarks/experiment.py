"""Play the experiment on why a distilled memory forgets; `make experiment`. What is done is not played again.

    python benchmarks/experiment.py [FOLDER]

The cells are stored in results/experiment, or in FOLDER; benchmarks/experiment_design.py says which they are.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiment_design import OUTPUT, request, runs
from rich.console import Console

from membench.running import runner
from membench.running.progress import Reporter


def main() -> None:
    """All runs of one design, one after another, with one loaded model."""
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    reporter = Reporter(Console(stderr=True))
    runner.play(runner.sessions_of([request(run, output) for run in runs()], reporter), reporter)


if __name__ == "__main__":
    main()
