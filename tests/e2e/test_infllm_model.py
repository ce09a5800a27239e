"""InfLLM on the default model: the identities that say which tokens are seen, and at which distance."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from membench.model.llm import LLM
from tests.support import infllm_by_hand
from tests.support.infllm_by_hand import (
    IDS,
    RULE,
    found_and_read,
    naive,
    received_as_defined,
    streamed,
    window_and_sink,
)

pytestmark = pytest.mark.e2e


close = partial(infllm_by_hand.close, atol=5e-3, rtol=1e-3)  # its final hidden states are of the size of 10


@pytest.mark.parametrize("chunk", [7, 100])
def test_inside_the_window_it_is_full_attention_whatever_the_chunk(smol: LLM, chunk: int) -> None:
    hidden, tree = streamed(smol.model, replace(RULE, local=len(IDS), chunk=chunk))
    with torch.no_grad():
        close(hidden, smol.model.get_decoder()(torch.tensor([IDS])).last_hidden_state[0])
    assert tree.vectors.shape[1] == 0


def test_without_units_it_is_sink_and_window(smol: LLM) -> None:
    rule = replace(RULE, top_k=0, initial=9)
    hidden, tree = streamed(smol.model, rule)
    assert tree.vectors.shape[1] > 5
    close(hidden, naive(smol.model, window_and_sink(rule, len(IDS)), rule.local))


def test_with_all_units_every_past_token_is_seen_at_its_distance_or_the_far_one(smol: LLM) -> None:
    rule = replace(RULE, top_k=99)
    hidden, _ = streamed(smol.model, rule)
    close(hidden, naive(smol.model, torch.ones(len(IDS), len(IDS), dtype=torch.bool).tril(), rule.local))


def test_a_needle_in_the_stream_is_looked_up_and_read(smol: LLM) -> None:
    """In the middle of it; at its ends, on a tiny model, in tests/keyvalues/test_infllm.py."""
    found_and_read(smol.model, 7, close)


@pytest.mark.parametrize("score", ["attention", "product"])
def test_what_a_token_received_is_summed_over_its_window(smol: LLM, score: str) -> None:
    received_as_defined(smol.model, score, close)
