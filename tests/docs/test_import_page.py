"""The example of docs/import.md prints what stands there, on the samples that lm-eval wrote."""

from __future__ import annotations

import gzip
from pathlib import Path

from click.testing import CliRunner

from membench.analysis.verify import verify
from membench.cli.app import main

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "data" / "lm_eval"
WRITTEN = {"plain": "2026-11-28T14-17-34.778685", "shots": "2026-11-28T14-28-37.386679"}
PAIR = ("squad_shots@smollm2-135m", "squad_plain@smollm2-135m")


def printed(folder: Path) -> str:
    """Import both prompts, and print what the page shows."""
    home = folder / "runs" / "__MODELS__smollm2-135m"
    home.mkdir(parents=True)
    for name, date in WRITTEN.items():
        unpacked = {
            f"samples_squad_{name}_{date}.jsonl": f"{name}.jsonl.gz",
            f"results_{date}.json": f"{name}_results.json.gz",
        }
        for file, packed in unpacked.items():
            (home / file).write_bytes(gzip.decompress((SAMPLES / packed).read_bytes()))
    out = str(folder / "compared")
    done = CliRunner().invoke(main, ["import", "lm-eval", *map(str, home.glob("samples_*")), "-o", out])
    assert done.stdout == f"2 results on 60 items stored in {out}, 0 were there already\n"
    calls = (["leaderboard", out, "--columns", "quality"], ["compare", *PAIR, "-o", out])
    return "\n".join(CliRunner().invoke(main, call).stdout for call in calls)


def test_the_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    text = printed(tmp_path)
    page = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    shown = page.split("<!-- printed -->\n")[1].split("<!-- end -->")[0]
    assert shown.strip() == text.strip()
    assert "| verdict | not resolved |" in shown
    assert all(verdict.ok for verdict in verify(tmp_path / "compared"))
