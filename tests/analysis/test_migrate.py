"""Cells of earlier versions get what their recipes lack, keep all else, and are then known as done."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import membench
from membench.analysis.migrate import DONE, LEFT, READY, migrate
from membench.analysis.verify import verify
from membench.cli.app import main
from membench.plugins.tiny_model import tiny_encoder
from membench.store import cell_folder
from membench.store.recipe import cell_id


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def played(tiny: Path, encoder: Path, data_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("migrate") / "results"
    play(root, tiny, encoder, data_file)
    return root


def play(root: Path, model: Path, encoder: Path, data_file: Path) -> list[dict[str, Any]]:
    given = {"data": f"jsonl:{data_file}", "model": str(model), "limit": 2, "output": root}
    return membench.run("bm25,dpr", "single", method_settings=[f"dpr.encoder={encoder}"], **given)


def contents(root: Path) -> dict[str, dict[str, bytes]]:
    """The files of each cell, by its folder's name; result, recipe and lock apart, which change."""
    left = ("result.json", "recipe.json", ".lock", ".lock.lease")
    return {
        folder.name: {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in left}
        for folder in root.iterdir()
        if folder.name != "runs"
    }


@pytest.fixture
def aged(played: Path, tmp_path: Path) -> Path:
    """The same cells as an earlier version stored them."""
    root = Path(shutil.copytree(played, tmp_path / "results"))
    for cell in cell_folder.cells(root):
        old = {key: value for key, value in cell.recipe.items() if key != "model_files_hash"}
        old["sources"] = {key: value for key, value in old["sources"].items() if key != "encoder_files"}
        cell_folder.write_json(cell.folder / "result.json", {**cell.result, "id": cell_id(old), "recipe": old})
        cell_folder.write_json(cell.folder / "recipe.json", old)
        cell.folder.rename(cell_folder.folder_of(root, old))
    assert all(verdict.ok for verdict in verify(root))
    return root


def test_cells_are_known_as_done_and_keep_what_they_hold(
    aged: Path, played: Path, tiny: Path, encoder: Path, data_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = contents(aged)
    assert not before.keys() & contents(played).keys()
    assert {m.state for m in migrate(aged, [tiny, encoder])} == {DONE}
    assert contents(aged) == contents(played)
    assert any("reference.safetensors" in files for files in contents(aged).values())
    assert all(verdict.ok for verdict in verify(aged))
    found = {cell.id: cell for cell in cell_folder.cells(aged)}
    assert found.keys() == {cell.id for cell in cell_folder.cells(played)}
    assert {cell.result["migrated_from"][:12] for cell in found.values()} == {n.rpartition("--")[2] for n in before}
    play(aged, tiny, encoder, data_file)
    assert "4 cells, 4 of them done already" in capfd.readouterr().err
    assert {m.state for m in migrate(aged)} == {READY}  # and nothing has to be at hand


def test_a_run_says_how_they_are_kept(
    aged: Path, tiny: Path, encoder: Path, data_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    play(aged, tiny, encoder, data_file)
    assert f"4 more were stored by an earlier version: stop, and `membench migrate {aged}`" in capfd.readouterr().err


@pytest.fixture
def away(encoder: Path) -> Iterator[Path]:
    """The encoder, where the cells' settings do not have it."""
    yield encoder.rename(encoder.with_name("away"))
    encoder.with_name("away").rename(encoder)


def test_what_is_not_at_hand_is_left_and_still_shown(aged: Path, tiny: Path, away: Path) -> None:
    before = contents(aged)
    assert {m.state for m in migrate(aged)} == {LEFT}
    assert contents(aged) == before
    shown = CliRunner().invoke(main, ["migrate", str(aged), "--model", str(tiny), "--json"])
    assert shown.exit_code == 1  # the encoder is missing
    rows = json.loads(shown.stdout)
    (left,) = (row for row in rows if row["state"] != DONE)
    assert left["state"] == LEFT
    assert "--model FOLDER names it" in left["reason"]
    assert "dpr" in left["now"]
    assert len(membench.leaderboard(aged)) > 0
    done = CliRunner().invoke(main, ["migrate", str(aged), "--model", str(away), "--model", str(tiny)])
    assert done.exit_code == 0, done.output


def test_other_weights_or_two_folders_with_the_same_decide_nothing(aged: Path, tiny: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny, tmp_path / "other"))
    (other / "generation_config.json").write_text('{"eos_token_id": 9}', encoding="utf-8")
    assert {m.reason for m in migrate(aged, [tiny, other]) if "dpr" not in m.folder.name} == {
        "two of the given folders hold the weights of tiny beside other files: give one"
    }
    weights = other / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert all("is at hand" in m.reason for m in migrate(aged, [other]))


class Killed(BaseException):
    """Ends the process."""


@pytest.mark.parametrize("step", range(12))
def test_a_kill_at_any_step_leaves_whole_cells_and_the_next_call_goes_on(
    aged: Path, played: Path, tiny: Path, encoder: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter(range(100))

    def killing(work: Any) -> Any:
        def done(*arguments: Any) -> Any:
            if next(steps) == step:
                raise Killed
            return work(*arguments)

        return done

    with monkeypatch.context() as patch:
        patch.setattr(cell_folder, "write_json", killing(cell_folder.write_json))
        patch.setattr(os, "rename", killing(os.rename))
        with pytest.raises(Killed):
            list(migrate(aged, [tiny, encoder]))
    assert len(cell_folder.cells(aged)) == 4
    assert all(cell.status == "done" for cell in cell_folder.cells(aged))
    assert {m.state for m in migrate(aged, [tiny, encoder])} <= {DONE, READY}
    assert contents(aged) == contents(played)
    assert all(verdict.ok for verdict in verify(aged))


def test_a_cell_that_is_being_played_is_left(aged: Path, tiny: Path, encoder: Path) -> None:
    folder = next(cell.folder for cell in cell_folder.cells(aged))
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        states = {m.before.name: m.state for m in migrate(aged, [tiny, encoder])}
    assert states.pop(folder.name) == LEFT
    assert set(states.values()) == {DONE}


def test_a_cell_that_was_played_anew_stays_as_it_is(aged: Path, played: Path, tiny: Path, encoder: Path) -> None:
    for folder in [path for path in played.iterdir() if path.name != "runs"]:
        shutil.copytree(folder, aged / folder.name)
    before = contents(aged)
    found = list(migrate(aged, [tiny, encoder]))
    assert contents(aged) == before
    assert sum("is there already: delete one of the two" in m.reason for m in found) == 4


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"task": 1}'])
def test_a_damaged_recipe_is_left(tmp_path: Path, damage: str) -> None:
    (tmp_path / "a--b--c--0").mkdir()
    (tmp_path / "a--b--c--0" / "recipe.json").write_text(damage, encoding="utf-8")
    (found,) = migrate(tmp_path)
    assert found.state == LEFT


def test_no_folder_is_one_line(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["migrate", str(tmp_path / "gone")]).exit_code == 2
    assert CliRunner().invoke(main, ["migrate", str(tmp_path), "--model", str(tmp_path / "gone")]).exit_code == 2
