"""Damages stored cells in many ways and lets every command look at each; prints what goes wrong, and how many did.

    python benchmarks/damage.py [CASES]

2,000 by default, about 0.2 s each. Exit status 1 if anything went wrong: a traceback, another cell's trouble, or
damaged records that were given a fresh hash.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.damage import sound_root, troubles


def main() -> None:
    count, wrong = int(sys.argv[1]) if len(sys.argv) > 1 else 2000, 0
    with tempfile.TemporaryDirectory() as folder:
        pristine = sound_root(Path(folder) / "pristine")
        for number in range(count):
            for trouble in troubles(pristine, Path(folder), number):
                wrong += 1
                print(trouble, flush=True)
    print(f"{count} cases, {wrong} troubles")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
