"""Workers that are actors of Ray, on one machine or many; Ray starts them where there is room."""

from __future__ import annotations

import math
import os
import re
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from membench.crew.worker import Worker
from membench.errors import MembenchError
from membench.io.extras import require
from membench.planning.request import Request
from membench.planning.served import device_of

_HOST_PORT = re.compile(r"(?:ray://)?([^/:\[\]]+|\[[^\]]+\]):(\d+)")
VARIABLE = "RAY_ADDRESS"
SECONDS = 10  # to reach an address
LAST, DIGITS = 65535, 9  # the last port, and how many digits of one are read
PASSED_ON = ("MEMBENCH_", "HF_", "OMP_", "PYTHONPATH", "CUDA_DEVICE_ORDER")  # beginnings of names in the environment


class Actor:
    """A worker that is an actor."""

    def __init__(self, number: int, handle: Any, refs: dict[Any, Actor]):
        self.name, self.handle, self._refs = f"actor {number}", handle, refs

    def send(self, message: Mapping[str, Any]) -> None:
        """Give it something to do."""
        self._refs[self.handle.answer.remote(dict(message))] = self


class Actors:
    """A crew of actors, each with its share of the cluster's cores and, for a model on GPUs, of these."""

    def __init__(self, size: int, requests: Sequence[Request], address: str | None):
        require("ray", "--executor ray")
        import ray

        self.size, self._ray = size, ray
        self._actors: list[Actor] = []
        self._refs: dict[Any, Actor] = {}
        self._ours = not ray.is_initialized()
        if self._ours:
            at, named = _address(address)
            try:
                _require_port(at)
                ray.init(address=at, include_dashboard=None if at else False, log_to_driver=False)
            except (OSError, ValueError) as error:  # no answer, or what is no address
                raise MembenchError(f"no Ray cluster at {named}: {' '.join(str(error).split())}") from None
        there: dict[str, float] = ray.cluster_resources()
        self._share = {"num_cpus": _share(there.get("CPU", 0), size)}
        if any(device_of(request).startswith("cuda") for request in requests):
            if not there.get("GPU"):
                self.dismiss()
                raise MembenchError("the Ray cluster has no GPU: say --device cpu, or start nodes that have some")
            self._share["num_gpus"] = _share(there["GPU"], size)

    def hire(self) -> Actor:
        """Start one more; it waits until there is room."""
        passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        kind = self._ray.remote(Worker).options(
            **self._share, max_restarts=0, max_task_retries=0, runtime_env={"env_vars": passed}
        )
        self._actors.append(Actor(len(self._actors) + 1, kind.remote(), self._refs))
        return self._actors[-1]

    def next(self) -> tuple[Actor, dict[str, Any] | str]:
        """Wait for one of them to answer or to be gone."""
        (ref, *_), _ = self._ray.wait(list(self._refs), num_returns=1)
        actor = self._refs.pop(ref)
        try:
            answer: dict[str, Any] = self._ray.get(ref)
        except self._ray.exceptions.RayActorError as gone:
            return actor, _first_sentence(str(gone))
        return actor, answer

    def dismiss(self) -> None:
        """Stop all, and Ray itself if it was started for them."""
        if self._ours:
            self._ray.shutdown()
            return
        for actor in self._actors:
            self._ray.kill(actor.handle)


def _share(there: float, size: int) -> float:
    """What each of so many can have, at most one; Ray counts in ten-thousandths."""
    return min(1.0, math.floor(there / size * 1e4) / 1e4)


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0]


def _address(typed: str | None) -> tuple[str | None, str]:
    """The address that Ray would take, and how messages call it: what is typed, else what the environment says."""
    address, given = (typed or "").strip(), os.environ.get(VARIABLE, "").strip()
    if address in ("", "auto") and given:
        return given, f"{given} (of {VARIABLE})"
    return address or None, address


def _require_port(address: str | None) -> None:
    """Look whether something listens at HOST:PORT, as Ray would ask an address that is wrong for many minutes.

    Raises OSError or ValueError.
    """
    if at := _HOST_PORT.fullmatch(address or ""):
        port = int(at[2][:DIGITS])
        if port > LAST:  # which a socket would take for another port
            raise ValueError(f"there is no port above {LAST}")
        socket.create_connection((at[1].strip("[]"), port), timeout=SECONDS).close()
