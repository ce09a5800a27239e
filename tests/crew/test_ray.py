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


def test_a_cluster_that_is_not_there_is_one_line(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"data": f"jsonl:{data_file}", "model": str(tiny), "output": tmp_path / "r"}
    with pytest.raises(MembenchError, match=r"no Ray cluster at 127.0.0.1:1: "):
        membench.run("bm25", "single", workers=2, executor="ray", address="127.0.0.1:1", **given)
