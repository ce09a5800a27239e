"""Keys read where they lie, by passes that overlap: the last one to end puts the setting back."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import torch

from membench.reading.shared_keys import in_place

NAME = "TRANSFORMERS_SDPA_FORCE_GQA"
CPU = torch.device("cpu")


@pytest.mark.parametrize("set_by_user", [None, "0"])
def test_a_pass_that_ends_leaves_the_setting_to_the_others(
    set_by_user: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if set_by_user is not None:
        monkeypatch.setenv(NAME, set_by_user)
    during = set_by_user or "1"
    first, second = ExitStack(), ExitStack()
    first.enter_context(in_place(CPU))
    with ThreadPoolExecutor(1) as other:
        other.submit(second.enter_context, in_place(CPU)).result()
        first.close()
        assert os.environ.get(NAME) == during
        with in_place(torch.device("cuda")):
            pass
        assert os.environ.get(NAME) == during
        other.submit(second.close).result()
    assert os.environ.get(NAME) == set_by_user


def test_a_pass_that_fails_leaves_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    with pytest.raises(RuntimeError), in_place(CPU):
        raise RuntimeError
    assert NAME not in os.environ
