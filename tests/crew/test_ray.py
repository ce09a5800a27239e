"""Actors on Ray's own cluster for tests: two nodes, of which one is killed in play."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import membench
from membench.errors import MembenchError
from tests.support.killed_runs import stored

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.scale, pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")]


@pytest.fixture
def nodes() -> Iterator[tuple[Any, Any]]:
    """A cluster of two nodes with a core each, and the node that is killed."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster, second
    ray.shutdown()
    cluster.shutdown()


def test_a_node_that_is_lost_costs_the_cell_in_hand_alone(
    nodes: tuple[Any, Any], tiny: Path, data_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster, second = nodes
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "model": str(tiny), "limit": 3, "seeds": (0, 1)}
    over = threading.Event()

    def kill() -> None:
        """Once both nodes play: floor and a method's cell, or two of a method's."""
        while not over.is_set():
            if len(list((tmp_path / "ray").glob("*--*/.lock.since"))) > 1:
                cluster.remove_node(second, allow_graceful=False)
                return
            time.sleep(0.002)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        many = membench.run("bm25", "sequential", workers=2, executor="ray", output=tmp_path / "ray", **given)
    finally:
        over.set()
        killer.join()
    assert "is gone (" in capfd.readouterr().err
    one = membench.run("bm25", "sequential", output=tmp_path / "one", **given)
    assert [(r["id"], r["status"]) for r in many] == [(r["id"], "done") for r in one]
    assert stored(tmp_path / "ray") == stored(tmp_path / "one")


@pytest.mark.parametrize(
    ("address", "environment", "said"),
    [
        ("127.0.0.1:1", "", "127.0.0.1:1: "),
        (" 127.0.0.1:1 ", "127.0.0.1:2", "127.0.0.1:1: "),
        ("ray://127.0.0.1:1", "", "ray://127.0.0.1:1: "),
        (None, "127.0.0.1:1", r"127.0.0.1:1 \(of RAY_ADDRESS\): "),
        ("auto", "127.0.0.1:1 ", r"127.0.0.1:1 \(of RAY_ADDRESS\): "),
        (f"127.0.0.1:{'9' * 5000}", "", "127.0.0.1:9{5000}: there is no port above 65535"),
        ("127.0.0.1:70000", "", "127.0.0.1:70000: there is no port above 65535"),
        ("127.0.0.1", "", "127.0.0.1: "),
    ],
)  # fmt: skip
def test_a_cluster_that_is_not_there_is_one_line(
    address: str | None, environment: str, said: str,
    tiny: Path, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("RAY_ADDRESS", environment)
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "model": str(tiny), "output": tmp_path / "r"}
    with pytest.raises(MembenchError, match=f"^no Ray cluster at {said}") as caught:
        membench.run("bm25", "single", workers=2, executor="ray", address=address, **given)
    assert "\n" not in str(caught.value)
