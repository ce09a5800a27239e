"""A killed run, resumed by the same command, ends with the records of one that nothing disturbed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from membench.analysis.verify import verify
from tests.support.killed_runs import Job, play, request, stored

# Where a run is killed, and then the run that resumes it, and so on; numbers count from each process's start.
KILLS = (
    ("tear", "answer", 2),  # the reference's first answers
    ("before", "reference.safetensors", 1),
    ("after", "reference.safetensors", 1),
    ("before", "result.json", 1),
    ("after", "memory.json", 2),  # the floor
    ("train", "", 2),  # the first write of selfparam
    ("before", "memory.json", 1),
    ("after", "memory.json", 1),  # its snapshot is there and its record is not
    ("tear", "answer", 3),
    ("tear", "write", 1),  # the second write
    ("tear", "ask", 1),
    ("train", "", 2),
    ("after", "result.json", 1),
)
Ran = tuple[Path, list[list[int]]]


@pytest.fixture(scope="module")
def ran(tiny: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Undisturbed runs, a run that is killed again and again, and two pairs of runs at once; with how all ended."""
    root = tmp_path_factory.mktemp("runs")

    def job(name: str, **kill: Any) -> Job:
        return {"request": request(tiny, data_file, root / name), **kill}

    groups: list[list[Job]] = [[job("whole")], [job("whole")], [job("again")]]
    groups += [[job("killed", kill=kill)] for kill in KILLS] + [[job("killed")]]
    groups += [[job("any", after=0.4 + 0.5 * k)] for k in range(2)] + [[job("any")]]
    groups += [[job("both"), job("both")], [job("both-killed", kill=("tear", "answer", 20)), job("both-killed")]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMBENCH_HOME", str(root / "home"))
        return root, play(*groups)


def test_the_same_command_gives_the_same_records(ran: Ran) -> None:
    root, ended = ran
    assert ended[:3] == [[0], [0], [0]]
    whole = stored(root / "whole")
    (name,) = (name for name in whole if "selfparam" in name and name.endswith("records.jsonl"))
    assert [r["type"] for r in whole[name] if r["type"] != "answer"] == ["write", "ask"] * 3
    assert stored(root / "again") == whole


def test_kills_leave_no_trace(ran: Ran) -> None:
    root, ended = ran
    assert ended[3 : 3 + len(KILLS) + 1] == [[signal.SIGKILL]] * len(KILLS) + [[0]]
    assert stored(root / "killed") == stored(root / "whole")


def test_kills_at_any_moment_leave_no_trace(ran: Ran) -> None:
    root, _ = ran
    assert stored(root / "any") == stored(root / "whole")


def test_two_runs_at_once_do_not_harm_each_other(ran: Ran) -> None:
    root, ended = ran
    assert ended[-2] == [0, 0]
    assert stored(root / "both") == stored(root / "whole")
    assert 0 in ended[-1]  # the other one may have been killed; this one took over what it left
    assert stored(root / "both-killed") == stored(root / "whole")


def searched(tiny: Path, data_file: Path, output: Path) -> dict[str, Any]:
    """A request that trains nothing."""
    return {**request(tiny, data_file, output), "methods": ["bm25"], "method_settings": []}


def test_two_hosts_without_locks_play_each_cell_once_and_take_over_what_one_leaves(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMBENCH_HOME", str(tmp_path / "home"))
    whole, shared = (searched(tiny, data_file, tmp_path / name) for name in ("whole", "shared"))
    hosts = ("one", "two", "three")
    kills = (("tear", "answer", 5), None, None)
    ended = play(
        [{"request": whole}],
        [{"request": shared, "host": host, "kill": kill} for host, kill in zip(hosts, kills, strict=True)],
    )
    assert ended[1][1:] == [0, 0]
    found, undisturbed = (stored(tmp_path / name) for name in ("shared", "whole"))
    assert found == {name: part for name, part in undisturbed.items() if not name.endswith(".lock")}


def test_two_overwrites_of_one_folder_do_not_harm_each_other(
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them killed or not: what is stored is of one play each, and a third call finds it whole."""
    monkeypatch.setenv("MEMBENCH_HOME", str(tmp_path / "home"))
    plain = searched(tiny, data_file, tmp_path / "out")
    again = {**plain, "overwrite": True}
    ended = play(
        [{"request": plain}],
        [{"request": again}, {"request": again}],
        [{"request": again, "kill": ("tear", "answer", 3)}, {"request": again}],
        [{"request": plain}],
    )
    assert [ended[0], ended[1], ended[3]] == [[0], [0, 0], [0]]
    assert 0 in ended[2]
    verdicts = verify(tmp_path / "out")
    assert len(verdicts) == 3
    assert all(v.ok and v.cell.status == "done" for v in verdicts)
    (cell,) = (v.cell for v in verdicts if v.cell.recipe["method"] == "bm25")
    assert "fidelity_f1/all" in cell.result["summary"], "the reference was there for it"
