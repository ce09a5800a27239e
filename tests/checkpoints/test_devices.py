"""Which device a name means on a machine, and where weights are put; what is not here is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from membench.checkpoints.devices import chosen_device, placement
from membench.cli.app import main
from membench.errors import MembenchError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One without accelerators; a test gives it some."""
    given(monkeypatch, gpus=0, mps=False)
    return monkeypatch


def given(patch: pytest.MonkeyPatch, gpus: int, mps: bool, free: int = 10**9) -> None:
    patch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    patch.setattr(torch.cuda, "device_count", lambda: gpus)
    patch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 2 * free))
    patch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("gpus", "mps", "device"), [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda"), (2, True, "cuda")]
)
def test_auto_takes_what_is_here(gpus: int, mps: bool, device: str, machine: pytest.MonkeyPatch) -> None:
    given(machine, gpus, mps)
    assert chosen_device("auto") == device
    assert chosen_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("name", "gpus", "says"),
    [
        ("cuda", 0, "--device cuda: the installed torch"),
        ("cuda:0", 0, "--device cuda:0: the installed torch"),
        ("cuda:2", 2, "--device cuda:2: this machine has 2 GPUs"),
        ("mps", 1, "--device mps: this machine or torch has no MPS"),
        ("gpu", 1, "unknown device 'gpu'"),
        ("cuda:x", 1, "unknown device 'cuda:x'"),
        ("cpu:1", 1, "unknown device 'cpu:1'"),
        ("", 0, "unknown device ''"),
    ],
)
def test_what_is_not_here_is_one_line(name: str, gpus: int, says: str, machine: pytest.MonkeyPatch) -> None:
    given(machine, gpus, mps=False)
    with pytest.raises(MembenchError) as refused:
        chosen_device(name)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


def test_a_run_refuses_it_before_anything_is_read(tiny: Path, tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    flags = ["-m", "bm25", "-t", "single", "--model", str(tiny), "-o", str(tmp_path / "out"), "--device", "cuda"]
    result = CliRunner().invoke(main, ["run", *flags])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--device cuda" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("device", "gpus", "size", "expected"),
    [
        ("cpu", 2, 10**12, {}),
        ("cuda", 1, 10**12, {"device_map": {"": "cuda"}}),
        ("cuda", 2, 10**8, {"device_map": {"": "cuda"}}),
        ("cuda", 2, 10**9, {"device_map": "auto"}),
        ("cuda:1", 2, 10**9, {"device_map": {"": "cuda:1"}}),
        ("mps", 0, 10**9, {"device_map": {"": "mps"}}),
    ],
)
def test_weights_go_straight_to_a_device_or_over_several(
    device: str, gpus: int, size: int, expected: dict[str, object], machine: pytest.MonkeyPatch
) -> None:
    given(machine, gpus, mps=True)
    assert placement(device, size) == expected
