"""`membench train-memory` on a tiny model: it learns, goes on where it stopped, and refuses what it cannot use."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import membench
from membench.api import Adapter
from membench.cli.app import main
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.keyvalues import pool_training
from membench.keyvalues.pool import Sink
from membench.keyvalues.pool_parts import load_parts
from membench.keyvalues.pool_training import Recipe, Trainer, segments
from membench.keyvalues.side_adapters import added, detached, fresh_factors
from membench.model.llm import LLM
from membench.plugins import registry

SHAPE: dict[str, Any] = {"new": 16, "chunk": 32, "size": 64, "batch_size": 4, "rank": 8, "lr": 1e-2, "warm_up": 1}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents that each say three words of their own over and over."""
    rng = random.Random(0)
    path = tmp_path_factory.mktemp("text") / "text.jsonl"
    lines = []
    for _ in range(40):
        words = ["".join(rng.choices("bdfgklmnprstv", k=2)) for _ in range(3)]
        lines.append(json.dumps({"text": " ".join(rng.choices(words, k=60))}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def command(tiny: Path, text: Path, output: Path, *more: str) -> Any:
    given = [f"--{key.replace('_', '-')}={value}" for key, value in SHAPE.items()]
    base = ["train-memory", "--model", str(tiny), "--text", f"file:{text}", "-o", str(output)]
    return CliRunner().invoke(main, [*base, *given, *more])


def test_a_trained_pool_beats_the_untrained_one_at_half_the_chunk(
    tiny: Path, text: Path, tmp_path: Path, llm: LLM
) -> None:
    done = command(tiny, text, tmp_path, "--steps=16,2,2", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trained"] < found["untrained"]
    assert found["trained"] < found["none"]
    parts = load_parts(str(tmp_path))
    assert parts.losses == found
    method = registry.load("methods", "memoryllm")(
        llm=llm, checkpoint=str(tmp_path), new=16, chunk=32, size=64
    )  # fmt: skip
    memory = method.write(None, ["The harbour was built by Ines Corde."])
    assert len(method.answer(memory, ["Who built the harbour?"])) == 1


def trainer(llm: LLM, **settings: Any) -> Trainer:
    rng = random.Random(1)
    documents = [[rng.randrange(5, 300) for _ in range(150)] for _ in range(4)]
    recipe = Recipe(**{**SHAPE, "batch_size": 2, "steps": (2, 3, 3), **settings})
    return Trainer(llm, recipe, documents, {"model": llm.name})


def test_a_stopped_training_goes_on_to_the_same_end(llm: LLM, tmp_path: Path) -> None:
    whole, stopped = trainer(llm), trainer(llm)
    whole.train(tmp_path / "whole", 100, lambda *_: None)

    def stop(step: int, _: float) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped.train(tmp_path / "stopped", 3, stop)
    resumed = trainer(llm)
    resumed.resume(tmp_path / "stopped")
    assert resumed.life.step == 3
    resumed.train(tmp_path / "stopped", 3, lambda *_: None)
    assert memories.equal(resumed.parts({}), whole.parts({}))
    assert memories.digest(resumed.life.pool) == memories.digest(whole.life.pool)
    again = trainer(llm)
    again.resume(tmp_path / "stopped")
    assert again.life.step == 8
    with pytest.raises(MembenchError, match="holds a training with another lr: name another folder"):
        trainer(llm, lr=1e-3).resume(tmp_path / "stopped")


def test_the_command_goes_on_where_it_was_interrupted(
    tiny: Path, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("--steps=3,2,2", "--save-every=2", "--json")
    whole = command(tiny, text, tmp_path / "whole", *given)
    step, taken = torch.optim.AdamW.step, 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken == 6:
            raise KeyboardInterrupt
        return step(*arguments, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", counted)
    stopped = command(tiny, text, tmp_path / "stopped", *given)
    assert stopped.exit_code != 0
    assert stopped.stdout == ""
    with pytest.raises(MembenchError, match="holds no finished parts"):
        load_parts(str(tmp_path / "stopped"))
    again = command(tiny, text, tmp_path / "stopped", *given)
    assert (again.exit_code, again.stdout) == (0, whole.stdout)
    assert taken == 6 + 3  # the fifth step was behind the last saving, and the sixth was not taken
    assert memories.equal(load_parts(str(tmp_path / "stopped")), load_parts(str(tmp_path / "whole")))


def test_the_phases_read_more_segments_and_come_back(llm: LLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One chunk before the last; then one, three, seven; then half the time a segment that was seen before."""
    made = trainer(llm, steps=(4, 6, 6), batch_size=2, size=64)
    made.documents = [[5 + i % 290 for i in range(k, k + 400)] for k in range(0, 40, 10)]
    rows: list[tuple[int, int, bool, bool]] = []  # phase, most segments asked for (0: none), alone, come back
    asked = 0
    cut, predict = pool_training.segments, Trainer._predict

    def counted(document: Any, chunk: int, most: int, rng: random.Random) -> Any:
        nonlocal asked
        asked = most
        return cut(document, chunk, most, rng)

    def noted(self: Trainer, reader: Any, states: Any, segment: Any) -> Any:
        nonlocal asked
        back = asked == 0 and tuple(segment) == self.life.cached
        rows.append((self.recipe.phase(self.life.step)[0], asked, states.requires_grad, back))
        asked = 0
        return predict(self, reader, states, segment)

    monkeypatch.setattr(pool_training, "segments", counted)
    monkeypatch.setattr(Trainer, "_predict", noted)
    made.train(tmp_path, 100, lambda *_: None)
    first, second, third = ([row for row in rows if row[0] == phase] for phase in range(3))
    assert [len(part) for part in (first, second, third)] == [8, 12, 12]
    assert {most for _, most, _, _ in first} == {2}
    assert {alone for _, _, alone, _ in first} == {True, False}
    assert [most for _, most, _, _ in second] == [2] * 4 + [4] * 4 + [8] * 4
    assert {most for _, most, _, back in third if not back} == {8}
    assert not any(alone for _, _, alone, _ in second + third)
    assert not any(back for *_, back in first + second)
    assert 3 <= sum(back for *_, back in third) <= 9


def test_trained_parts_are_part_of_what_a_cell_is(tiny: Path, text: Path, data_file: Path, tmp_path: Path) -> None:
    def played() -> dict[str, Any]:
        settings = f"checkpoint={tmp_path / 'parts'},new=16,chunk=32,size=64"
        (result,) = membench.run(
            "memoryllm", "single", data=f"jsonl:{data_file}", model=str(tiny), output=tmp_path / "results",
            method_settings=settings, yardsticks=False,
        )  # fmt: skip
        return result

    assert command(tiny, text, tmp_path / "parts", "--steps=1,1,1").exit_code == 0
    first = played()
    assert first["status"] == "done"
    rows = {row["method"]: row["label"] for row in membench.leaderboard(tmp_path / "results")}
    assert rows["memoryllm"].startswith("memoryllm size=64")  # and not "memoryllm (untrained)"
    assert played()["id"] == first["id"]
    shutil.rmtree(tmp_path / "parts")
    assert command(tiny, text, tmp_path / "parts", "--steps=2,1,1").exit_code == 0
    assert played()["id"] != first["id"]


def test_both_adapters_learn_and_the_model_stays(llm: LLM, tmp_path: Path) -> None:
    before = memories.digest(dict(llm.model.state_dict()))
    made = trainer(llm, steps=(3, 0, 0), batch_size=6)
    made.train(tmp_path, 100, lambda *_: None)
    for factors in (made.write, made.read):
        assert any(parts["B"].abs().sum() > 0 for parts in factors.values())
    assert memories.digest(dict(llm.model.state_dict())) == before
    assert not any(module._forward_hooks for module in llm.model.modules())


def test_factors_beside_the_weights_are_the_merged_adapter(llm: LLM) -> None:
    factors = fresh_factors(llm, 4, 0)
    for parts in factors.values():
        parts["B"].data.normal_(std=0.05, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        with added(llm, factors, 2.0):
            beside = Sink(llm).states_of([5, 6, 7], None, "output")
        with llm.wearing(Adapter((detached(factors),), 2.0)):
            merged = Sink(llm).states_of([5, 6, 7], None, "output")
    torch.testing.assert_close(beside, merged, atol=1e-3, rtol=1e-3)


def test_segments_follow_one_another(llm: LLM) -> None:
    document = list(range(100))
    for seed in range(20):
        parts = segments(document, 32, 4, random.Random(seed))
        flat = [i for part in parts for i in part]
        assert flat == list(range(flat[0], flat[0] + len(flat)))
        assert 2 <= len(parts) <= 4
        assert all(16 <= len(part) <= 32 for part in parts)


def test_the_rate_warms_up_and_falls() -> None:
    recipe = Recipe(steps=(50, 30, 20), warm_up=10, lr=1.0)
    assert recipe.rate(0) == pytest.approx(0.1)
    assert recipe.rate(9) > 0.9
    assert recipe.rate(99) < 0.01
    assert [recipe.phase(step)[0] for step in (0, 49, 50, 79, 80, 99)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--steps=5"], "steps wants a number for each of three phases"),
        (["--steps=a,b,c"], "--steps wants three whole numbers such as 1500,1500,1000, got 'a,b,c'"),
        (["--new=0"], "setting new of pool-training wants 1 or more, got 0"),
        (["--new=65"], "setting new must be at most size, 64, got 65"),
        (["--store=both"], "setting store of pool-training wants one of input, output, got 'both'"),
        (["--chunk=1000"], "has no document of 1000 tokens among 32 to train on"),
        (["--text=file:nowhere.txt"], "nowhere.txt: no such file"),
    ],
)
def test_bad_input_is_one_line(tiny: Path, text: Path, tmp_path: Path, more: list[str], message: str) -> None:
    done = command(tiny, text, tmp_path, *more)
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
