"""benchmarks/gpu.sh: every step is a command that parses, and a step that did not end well is played again."""

from __future__ import annotations

import os
import shlex
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from membench.cli.app import main
from membench.plugins import registry

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPT = BENCHMARKS / "gpu.sh"


def called(home: Path, *words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"MEMBENCH_GPU": str(home), "PATH": f"{path or BENCHMARKS}:{os.environ['PATH']}"}
    return subprocess.run(["bash", str(SCRIPT), *words], env=env, capture_output=True, text=True, check=False)


def steps(home: Path, *words: str) -> dict[str, list[str]]:
    """Each step's command, as words."""
    lines = [line.split("\t") for line in called(home, *words, "list").stdout.splitlines()]
    assert len({name for name, _, _ in lines}) == len(lines)
    assert all(mark == "open" for _, mark, _ in lines)
    return {name: shlex.split(command) for name, _, command in lines}


def measures() -> Any:
    spec = spec_from_file_location("gpu_measures", BENCHMARKS / "gpu_measures.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("mode", [(), ("--dry-run",)])
def test_every_step_is_a_command_that_there_is(mode: tuple[str, ...], tmp_path: Path) -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    found, known = steps(tmp_path, *mode), measures()
    for words in found.values():
        if words[0] == "membench":
            command = main.get_command(None, words[1])  # type: ignore[arg-type]
            assert command is not None
            command.make_context(words[1], words[2:])
        elif words[1].endswith("gpu_measures.py"):
            given = known.parsed(words[2:])
            assert given.measure != "speed" or registry.load("methods", given.argument)
        else:
            assert words[0] == "python"
            assert (BENCHMARKS.parent / words[1]).exists()
    assert found.keys() == steps(tmp_path).keys()


def test_a_step_is_done_only_when_it_ends_well(tmp_path: Path) -> None:
    stub = tmp_path / "python"

    def ends(status: int) -> subprocess.CompletedProcess[str]:
        stub.write_text(f"#!/bin/sh\necho found\nexit {status}\n")
        stub.chmod(0o755)
        return called(tmp_path, "--dry-run", "next", path=tmp_path)

    first = next(iter(steps(tmp_path, "--dry-run")))
    failed, late = ends(3), ends(124)
    assert (failed.returncode, late.returncode) == (1, 0)
    assert f"{first}: failed with status 3" in failed.stderr
    assert f"{first}: the time is up; the same command goes on" in late.stdout
    assert ends(0).returncode == 0
    assert (tmp_path / "gpu-dry" / f"{first}.txt").read_text() == "found\n"
    listed = called(tmp_path, "--dry-run", "list").stdout.splitlines()
    assert [line.split("\t")[1] for line in listed[:2]] == ["done", "open"]
    assert called(tmp_path, "nonsense").returncode == 2
