"""A memory is plain data: measured, hashed, saved and loaded; nothing else passes."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from membench.api import Adapter, Pair
from membench.errors import MembenchError
from membench.io import memory_codec as memories

LAYER = {"layers.0.q_proj": {"A": torch.arange(6.0).view(2, 3), "B": torch.full((3, 2), -0.5)}}
SHARED = torch.arange(8.0)
MEMORIES: dict[str, Any] = {
    "nothing": None,
    "texts": ("Ines Corde", "ships é", ""),
    "numbers": [1, 2.5, True, float("inf"), None],
    "tensor": torch.tensor([[1, 2], [3, 4]], dtype=torch.int16),
    "halves": torch.tensor([0.1, 7.0], dtype=torch.bfloat16),
    "scalar": torch.tensor(3.0),
    "no elements": torch.zeros(0, 4),
    "turned": torch.arange(6.0).view(2, 3).T,
    "shared": (SHARED, SHARED[1:], SHARED),
    "zero-dimensional": np.array(2.5),
    "array": {"index": np.arange(4, dtype=np.float64), "lists": [[], ()]},
    "keys": {3: "c", "a": {"b": ()}},
    "adapter": Adapter((LAYER, LAYER), 2.0),
    "dataclasses": {"pairs": (Pair("Who?", "Ines"),)},
}


@pytest.mark.parametrize("name", MEMORIES)
def test_what_is_saved_is_loaded(name: str, tmp_path: Path) -> None:
    memory = MEMORIES[name]
    memories.save(memory, tmp_path)
    loaded = memories.load(tmp_path)
    assert type(loaded) is type(memory)
    assert memories.digest(loaded) == memories.digest(memory)
    assert memories.nbytes(loaded) == memories.nbytes(memory)
    if name in ("nothing", "texts", "numbers", "keys", "dataclasses"):
        assert loaded == memory


def test_an_adapter_comes_back_bit_for_bit(tmp_path: Path) -> None:
    memories.save(MEMORIES["adapter"], tmp_path)
    loaded = memories.load(tmp_path)
    assert isinstance(loaded, Adapter)
    assert loaded.scale == 2.0
    assert len(loaded.layers) == 2
    assert all(torch.equal(loaded.layers[1]["layers.0.q_proj"][k], LAYER["layers.0.q_proj"][k]) for k in "AB")


def test_a_digest_tells_all_memories_apart() -> None:
    made = [
        *MEMORIES.values(), ("a",), ["a"], ("b",), 1, 1.0, True, "1", torch.tensor([1.0]), torch.tensor([1]),
        torch.tensor([1.0]).double(), torch.zeros(2, 3), torch.zeros(3, 2), np.zeros((3, 2), dtype=np.float32),
        {"a": 1}, {"b": 1}, Adapter((LAYER,), 2.0), Adapter((LAYER, LAYER), 1.0),
    ]  # fmt: skip
    assert len({memories.digest(memory) for memory in made}) == len(made)
    assert not memories.equal(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert memories.equal(torch.arange(6.0).view(2, 3).T, torch.arange(6.0).view(2, 3).T.contiguous())


@pytest.mark.parametrize(
    ("memory", "size"),
    [
        (None, 0),
        ("é", 2),
        (7, 8),
        (("ab", "c"), 3),
        (torch.zeros(3, 4), 48),
        (np.zeros(5, dtype=np.int16), 10),
        ({"a": torch.zeros(2, dtype=torch.bfloat16), "b": [1.0]}, 12),
        (Adapter((LAYER, LAYER), 2.0), 2 * 48 + 8),
    ],
)
def test_bytes(memory: Any, size: int) -> None:
    assert memories.nbytes(memory) == size


def nested(deep: int) -> Any:
    memory: Any = ()
    for _ in range(deep):
        memory = (memory,)
    return memory


def in_itself() -> list[Any]:
    memory: list[Any] = []
    memory.append(memory)
    return memory


@pytest.mark.parametrize(
    "memory",
    [
        object(), {1, 2}, lambda: 0, b"bytes", Path("x"), [("a", object())], Adapter, np.array(["x"]), {("a", 1): 2},
        [10**5000], ["\ud800"], {"\udc00": 1}, torch.eye(3).to_sparse(), torch.empty(2, device="meta"),
        np.zeros(2, ">f4"), nested(5000), in_itself(),
    ],
)  # fmt: skip
def test_what_is_no_plain_data_is_refused(memory: Any, tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=r"a memory('s keys are| holds)"):
        memories.save(memory, tmp_path / "memory")
    assert not (tmp_path / "memory").exists()


def test_a_memory_may_be_nested_as_deeply_as_is_said(tmp_path: Path) -> None:
    deepest = nested(memories.DEEPEST)
    memories.save(deepest, tmp_path)
    assert memories.equal(memories.load(tmp_path), deepest)


def test_a_later_memory_takes_the_place_of_the_first(tmp_path: Path) -> None:
    memories.save(torch.zeros(2), tmp_path)
    memories.save({"a": torch.ones(3)}, tmp_path)
    assert torch.equal(memories.load(tmp_path)["a"], torch.ones(3))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("kept", [b"", b"{", b'{"structure": null}', b'{"structure": null, "tensors": "gone"}'])
def test_a_damaged_memory_is_refused(kept: bytes, tmp_path: Path) -> None:
    memories.save(torch.zeros(2), tmp_path)
    (tmp_path / "memory.json").write_bytes(kept)
    with pytest.raises(MembenchError, match=r"memory\.json holds no memory that can be loaded"):
        memories.load(tmp_path)


def test_damaged_tensors_and_classes_that_are_no_data_are_refused(tmp_path: Path) -> None:
    memories.save(Pair("q", "a"), tmp_path)
    path = tmp_path / "memory.json"
    path.write_text(path.read_text().replace("membench.api:Pair", "subprocess:Popen"))
    with pytest.raises(MembenchError, match="Popen is no dataclass"):
        memories.load(tmp_path)
    memories.save(torch.zeros(2), tmp_path)
    (tensors,) = tmp_path.glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:20])
    with pytest.raises(MembenchError, match="holds no memory"):
        memories.load(tmp_path)


class Named(NamedTuple):
    a: int


@pytest.mark.parametrize(
    ("memory", "plain"),
    [
        (Named(1), "tuple"), (defaultdict(list), "dict"), (OrderedDict(a=1), "dict"), (np.float64(1), "float"),
        (np.str_("a"), "str"), (torch.nn.Parameter(torch.ones(1)), "Tensor"), (np.ma.array([1.0]), "ndarray"),
    ],
)  # fmt: skip
def test_what_would_come_back_as_something_else_is_refused(memory: Any, plain: str) -> None:
    for held in (memory, [memory], {"x": (memory,)}):
        with pytest.raises(MembenchError, match=rf"plain data only, not \w+ \(at m.*\): make it a {plain}"):
            memories.digest(held)
    with pytest.raises(MembenchError, match="keys are texts and numbers, not int64"):
        memories.digest({np.int64(1): 1})


# ---------------------------------------------------------------- what a file may have imported


@dataclass(frozen=True)
class Note:
    text: str


@dataclass(frozen=True)
class Owner:
    """A method whose memory holds notes."""


def stored_as(name: str, folder: Path) -> Path:
    """A memory whose file says that its dataclass is of this name."""
    memories.save(Note("x"), folder)
    path = folder / memories.STRUCTURE
    path.write_text(path.read_text().replace(f"{__name__}:Note", name))
    return folder


def test_a_dataclass_of_the_methods_own_package_comes_back_for_it_alone(tmp_path: Path) -> None:
    memories.save((Note("x"),), tmp_path)
    assert memories.load(tmp_path, [Owner]) == (Note("x"),)
    with pytest.raises(MembenchError, match=r":Note is no dataclass of membench or of the method"):
        memories.load(tmp_path)


@pytest.mark.parametrize("owner", [None, Owner, torch.nn.Module])
@pytest.mark.parametrize(
    "name",
    [
        "evil:Note", "evil.inner:Note", "membenchx:Note", "membench.__main__:Note", "os:system", "torch.nn:Module",
        "transformers:TrainingArguments", "membench.api:dataclass", "membench.values:json", "membench:", ":", "",
        "tests",
    ],
)  # fmt: skip
def test_nothing_else_is_imported(
    owner: type | None, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom {__name__} import Note\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    with pytest.raises(MembenchError, match=r"memory\.json holds no memory that can be loaded"):
        memories.load(stored_as(name, tmp_path / "memory"), [owner] if owner else [])
    assert not (tmp_path / "ran").exists()
    assert set(sys.modules) == before


def test_a_memory_that_is_not_the_one_that_is_known_is_not_built(tmp_path: Path) -> None:
    memory = {"notes": [Note("x")], "tensor": torch.arange(3.0), "numbers": (1.5, None, float("inf"), {2: "é"})}
    memories.save(memory, tmp_path)
    known = memories.digest(memory)
    assert memories.equal(memories.load(tmp_path, [Owner], known), memory)
    path = tmp_path / memories.STRUCTURE
    path.write_text(path.read_text().replace('"x"', '"y"'))
    with pytest.raises(MembenchError, match="it is not the memory that was saved last"):
        memories.load(tmp_path, [Owner], known)
    stored_as("evil:Note", tmp_path)
    with pytest.raises(MembenchError, match="it is not the memory that was saved last"):
        memories.load(tmp_path, [Owner], known)


def test_tensors_lie_in_the_same_folder(tmp_path: Path) -> None:
    memories.save(torch.zeros(2), tmp_path / "other")
    memories.save(torch.zeros(2), tmp_path / "mine")
    path = tmp_path / "mine" / memories.STRUCTURE
    [other] = (tmp_path / "other").glob("*.safetensors")
    path.write_text(json.dumps({**json.loads(path.read_text()), "tensors": f"../other/{other.name}"}))
    with pytest.raises(MembenchError, match="is no name of its tensors"):
        memories.load(tmp_path / "mine")


def test_saving_leaves_weights_that_are_not_a_memorys(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights of a model")
    memories.save(torch.zeros(2), tmp_path)
    memories.save(torch.ones(2), tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == b"weights of a model"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_structure_that_is_nested_too_deeply_is_one_line(tmp_path: Path) -> None:
    memories.save(torch.zeros(2), tmp_path)
    (tmp_path / memories.STRUCTURE).write_text("[" * 100_000)
    with pytest.raises(MembenchError, match="holds no memory"):
        memories.load(tmp_path)
