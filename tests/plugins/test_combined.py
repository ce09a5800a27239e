"""Methods side by side: with one part empty they are the other, record by record; both bring what each alone brings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import DynamicCache

import membench
from membench.errors import MembenchError
from membench.io import memory_codec as memories
from membench.model.llm import LLM
from membench.planning.request import Request
from membench.playing.drift import Prompt, follow
from membench.plugins import registry, settings
from membench.plugins.conformance import check
from membench.reading.cache_argument import kept_in
from membench.targets.scribe import Scribe
from membench.values import Adapter, Pair, Prefix, Recall

TEXTS = (
    "The harbour of Vellmar was built by Ines Corde in 1931. It holds forty ships.",
    "The Oxley Trade Survey is sponsored by the Brannow Bank. It appears every March.",
)
BOOK = {
    TEXTS[0]: (Pair("Who made the harbour?", "Ines Corde"),),
    TEXTS[1]: (Pair("Who sponsors the survey?", "the Brannow Bank"),),
}
QUESTIONS = ("Who built the harbour of Vellmar?", "When does the Oxley Trade Survey appear?")
CANDIDATES = [["Ines Corde", "every March"]] * 2
FAST: dict[str, Any] = {"selfparam_epochs": 1}


def made(name: str, llm: LLM, **given: Any) -> Any:
    return registry.load("methods", name)(llm=llm, scribe=Scribe(BOOK, None), **given)


def read(llm: LLM, recall: Recall) -> list[Any]:
    return [(r.text, r.ids, r.logprobs) for r in llm.answer(recall, QUESTIONS, CANDIDATES)]


@pytest.fixture(scope="module")
def both(llm: LLM) -> Any:
    """The memory of bm25+selfparam after two writes."""
    method = made("bm25+selfparam", llm, **FAST)
    return method.write(method.write(None, TEXTS[:1]), TEXTS[1:])


def test_memories_stand_side_by_side(llm: LLM, both: Any) -> None:
    bm25, trained = made("bm25", llm), made("selfparam", llm, epochs=1)
    expected = bm25.write(None, TEXTS), trained.write(trained.write(None, TEXTS[:1]), TEXTS[1:])
    assert memories.equal(both, expected)
    recall = made("bm25+selfparam", llm, **FAST).recall(both, QUESTIONS)
    assert recall.contexts == bm25.recall(expected[0], QUESTIONS).contexts
    assert recall.adapter is both[1]
    grown = made("bm25+selfparam", llm, **FAST).deployed_growth(both)
    assert grown == memories.nbytes(both[0])


def test_both_stand_before_the_question(llm: LLM, both: Any) -> None:
    method = made("bm25+selfparam", llm, **FAST)
    texts, adapter = method.recall(both, QUESTIONS).contexts, both[1]
    found = read(llm, method.recall(both, QUESTIONS))
    assert found == read(llm, Recall(contexts=texts, adapter=adapter))
    assert found != read(llm, Recall(contexts=texts)) != read(llm, Recall(adapter=adapter))


ALONE = [
    ("base+bm25", {}, "bm25", {}),
    ("bm25+base", {"adapter_scope": "decode"}, "bm25", {}),
    ("base+selfparam", {"selfparam_epochs": 1, "adapter_scope": "decode"}, "selfparam", {"epochs": 1}),
    ("bm25+selfparam", {"selfparam_epochs": 1, "retained": 0.0, "adapter_scope": "decode"}, "selfparam", {"epochs": 1}),
]


@pytest.mark.parametrize(("whole", "given", "alone", "own"), ALONE)
def test_with_one_part_empty_it_is_the_other(
    whole: str, given: dict[str, Any], alone: str, own: dict[str, Any], llm: LLM
) -> None:
    one, other = made(whole, llm, **given), made(alone, llm, **own)
    memory, expected = one.write(None, TEXTS), other.write(None, TEXTS)
    assert sum(part is not None for part in memory) == 1
    assert memories.equal(next(part for part in memory if part is not None), expected)
    assert read(llm, one.recall(memory, QUESTIONS)) == read(llm, other.recall(expected, QUESTIONS))
    assert one.recall(None, QUESTIONS).contexts is None
    assert one.deployed_growth(memory) == (
        other.deployed_growth(expected) if alone == "selfparam" else memories.nbytes(memory)
    )


def test_its_records_are_those_of_the_part_that_is_not_empty(tiny: Path, data_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "results"
    membench.run(
        "bm25,base+bm25,selfparam,bm25+selfparam", "sequential", data=f"jsonl:{data_file}", model=str(tiny),
        output=output, limit=2, yardsticks=False,
        method_settings=["selfparam.epochs=1", "bm25+selfparam.retained=0", "adapter_scope=decode"],
    )  # fmt: skip
    answers = {}
    for path in output.glob("sequential--*/records.jsonl"):
        recipe = json.loads((path.parent / "result.json").read_text())["recipe"]
        records = [json.loads(line) for line in path.read_text().splitlines()]
        answers[recipe["method"]] = [record for record in records if record["type"] == "answer"]
    assert answers["bm25"] == answers["base+bm25"]
    assert answers["selfparam"] == answers["bm25+selfparam"] != answers["bm25"]
    assert len(answers["bm25"]) >= 6
    rows = {row["method"] for row in membench.leaderboard(output)}
    assert {"bm25+selfparam", "base+bm25"} <= rows


def shaken(llm: LLM) -> Adapter:
    """A change of the first layer that is large enough to be seen."""
    name = "model.layers.0.self_attn.v_proj"
    generator = torch.Generator().manual_seed(5)
    rows, columns = llm.model.get_submodule(name).weight.shape
    factors = {"A": torch.randn(2, columns, generator=generator), "B": torch.randn(rows, 2, generator=generator)}
    return Adapter(({name: factors},), 0.2)


@pytest.mark.parametrize("style", ["plain", "twice"])
def test_the_base_reads_the_text_and_the_adapter_answers(style: str, tiny: Path, llm: LLM) -> None:
    reader = llm if style == "plain" else LLM.load(tiny, name="tiny", dtype="float32", style=style)
    adapter = shaken(reader)
    contexts = (TEXTS[:1], TEXTS[::-1])
    (decoded, *_), (every, *_) = (
        reader.answer(Recall(contexts=contexts, adapter=adapter, adapter_scope=scope), QUESTIONS, CANDIDATES)
        for scope in ("decode", "all")
    )
    first, *texts, asked = reader.segment_ids(contexts[0], QUESTIONS[0])
    (candidate,) = [reader.ids(" Ines Corde")]
    text = [token for segment in texts for token in segment]

    def kept(ids: list[int]) -> Any:
        cache = DynamicCache()
        reader.model(torch.tensor([ids]), use_cache=True, **kept_in(reader.model, cache))
        return cache

    with torch.no_grad():
        base = kept(first + text).layers
        with reader.wearing(adapter):
            own = kept(first)
            for layer, given in zip(own.layers, base, strict=True):
                layer.keys = torch.cat([layer.keys, given.keys[:, :, len(first) :]], dim=2)
                layer.values = torch.cat([layer.values, given.values[:, :, len(first) :]], dim=2)
            places = torch.arange(len(asked + candidate)) + len(first + text)
            out = reader.model(
                torch.tensor([asked + candidate]), position_ids=places[None], **kept_in(reader.model, own)
            )
    logp = out.logits[0].log_softmax(-1)
    by_hand = sum(logp[len(asked) - 1 + k, token].item() for k, token in enumerate(candidate)) / len(candidate)
    assert decoded.logprobs[0] == pytest.approx(by_hand, abs=1e-4)
    assert abs(decoded.logprobs[0] - every.logprobs[0]) > 1e-3


def test_decoding_apart_is_the_same_for_any_grouping(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    recall = Recall(contexts=(TEXTS, TEXTS[1:]), adapter=shaken(llm), adapter_scope="decode")
    together = read(llm, recall)
    monkeypatch.setattr("membench.model.decode_scope.TEXT_TOKENS", 1)
    apart = read(llm, recall)
    assert [r[0] for r in apart] == [r[0] for r in together]
    assert torch.allclose(torch.tensor([r[2] for r in apart]), torch.tensor([r[2] for r in together]), atol=1e-5)
    one_each = Recall(contexts=recall.contexts, adapters=(recall.adapter, None), adapter_scope="decode")
    (first, second) = llm.answer(one_each, QUESTIONS, CANDIDATES)
    assert first.logprobs == pytest.approx(together[0][2], abs=1e-5)
    plain = llm.answer(Recall(contexts=recall.contexts), QUESTIONS, CANDIDATES)[1]
    assert second.logprobs == pytest.approx(plain.logprobs, abs=1e-5)


def test_drift_is_read_in_the_same_scope(llm: LLM) -> None:
    prompts = [Prompt(q, tuple(llm.ids(q)), (tuple(llm.ids(" It is.")),)) for q in QUESTIONS]
    adapter = shaken(llm)

    def states(contexts: Any, scope: Any) -> torch.Tensor:
        recall = Recall(contexts=contexts, adapter=adapter, adapter_scope=scope)
        return torch.cat([ends[0] for ends in follow(llm, recall, prompts)])

    assert torch.equal(states(None, "decode"), states(None, "all"))
    assert torch.equal(states(((), ()), "decode"), states(((), ()), "all"))
    given = (TEXTS[:1], TEXTS[1:])
    assert not torch.allclose(states(given, "decode"), states(given, "all"), atol=1e-3)


def test_texts_that_a_part_brings_twice_stay_two(llm: LLM) -> None:
    """As they do of that part alone: of two parts' texts the later ones stand once."""
    doubled = (TEXTS[0], TEXTS[0])
    for name in ("in-context", "base+in-context"):
        method = made(name, llm)
        memory = method.write(None, list(doubled))
        assert method.recall(memory, QUESTIONS).contexts == (doubled, doubled), name
    both = made("in-context+bm25", llm, bm25_k=2)
    memory = both.write(None, [*doubled, TEXTS[1]])
    assert both.recall(memory, QUESTIONS[:1]).contexts == ((*doubled, TEXTS[1]),)


def test_what_the_parts_bring_together_fits_the_window(llm: LLM) -> None:
    """What has no room goes, from the last part on."""
    texts = [f"Record {k}: {' '.join(f'word{k}x{j}' for j in range(30))}." for k in range(40)]
    both, first = made("full-context+bm25", llm), made("full-context", llm)
    recall = both.recall(both.write(None, texts), ["What has Record 3?"])
    alone = first.recall(first.write(None, texts), ["What has Record 3?"])
    assert recall.contexts
    assert alone.contexts
    assert recall.contexts[0][: len(alone.contexts[0])] == alone.contexts[0]
    assert "Record 3:" not in " ".join(alone.contexts[0])
    llm.answer(recall, ["What has Record 3?"], [["a", "b"]])


def test_text_beside_keys_and_values_fits_the_window(llm: LLM) -> None:
    texts = [f"Record {k}: {' '.join(f'word{k}x{j}' for j in range(30))}." for k in range(40)]
    prefix = Prefix(*[tuple(torch.zeros(1, 512, 16) for _ in range(2))] * 2)
    alone = made("full-context", llm).recall(tuple(texts), QUESTIONS[:1]).contexts
    method = made("full-context+base", llm)
    (fitted,) = method._fitting([alone[0]], QUESTIONS[:1], {"prefix": ("p", prefix)})
    assert 0 < len(fitted) < len(alone[0])
    assert fitted == alone[0][: len(fitted)]
    size = sum(len(llm.ids(s)) for s in llm.renderer.segments(fitted, QUESTIONS[0])) + len(llm.bos)
    assert size + llm.max_new_tokens + 512 <= llm.window


def test_settings_go_to_parts() -> None:
    chosen = {name: registry.load("methods", name) for name in ("bm25", "bm25+selfparam")}
    assert settings.split(["bm25.k=3", "epochs=2", "selfparam.lr=0.1", "retained=0.5"], chosen) == {
        "bm25": {"k": "3"},
        "bm25+selfparam": {"bm25_k": "3", "selfparam_epochs": "2", "selfparam_lr": "0.1", "retained": "0.5"},
    }
    assert settings.split(["bm25+selfparam.k=3"], chosen)["bm25"] == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bm25+selfparm", "unknown method 'selfparm': did you mean 'selfparam'?"),
        ("bm25+", "method 'bm25+' lacks a part: write METHOD+METHOD"),
        ("+bm25", "method '+bm25' lacks a part"),
        ("bm25 + + dpr", "method 'bm25 + + dpr' lacks a part"),
        ("bm25 + bm26", "unknown method 'bm26': did you mean 'bm25'?"),
        ("", "unknown method ''"),
        ("bm25+bm25", "method 'bm25+bm25' has a part twice: name each once"),
    ],
)
def test_a_wrong_name_is_one_line(name: str, message: str) -> None:
    with pytest.raises(MembenchError) as error:
        registry.load("methods", name)
    assert str(error.value).startswith(message)


def test_blanks_around_the_sign_make_no_other_method() -> None:
    assert registry.load("methods", " bm25 +base") is registry.load("methods", "bm25+base")
    assert Request(("bm25 + base", "bm25+base", "dpr"), ("single",)).methods == ("bm25+base", "dpr")


def test_a_wrong_setting_is_one_line() -> None:
    whole = registry.load("methods", "bm25+selfparam")
    with pytest.raises(MembenchError, match="setting k of bm25 wants 1 or more, got 0"):
        whole(bm25_k=0)
    with pytest.raises(
        MembenchError, match=r"setting 'nobody\.k' is for a method that does not run: running bm25\+self"
    ):
        settings.split(["nobody.k=1"], {"bm25+selfparam": whole})
    with pytest.raises(MembenchError, match="unknown setting 'kk' of method bm25: "):
        settings.split(["bm25.kk=1"], {"bm25+selfparam": whole})


def test_two_adapters_have_no_place_before_one_question(llm: LLM) -> None:
    method = made("ft-c+selfparam", llm, ft_c_epochs=1, **FAST)
    with pytest.raises(MembenchError, match="ft-c and selfparam both bring an adapter, of which a question has one"):
        method.recall(method.write(None, TEXTS[:1]), QUESTIONS)


def test_what_it_states_is_what_its_parts_state() -> None:
    whole = registry.load("methods", "bm25+selfparam")
    assert (whole.storage, whole.kind) == ("O(n) text + O(1) weights", "growing")
    assert registry.stated("methods", "bm25+selfparam", "kind") == "growing"
    assert registry.stated("methods", "base+selfparam", "kind") == "weights"
    assert whole().forgets
    pool = registry.load("methods", "bm25+memoryllm")
    assert not pool().forgets
    assert pool.cannot_forget.startswith("memoryllm: later vectors of its pool")
    assert registry.load("methods", "dpr+selfparam")().label == "dpr (all-minilm-l6-v2)+selfparam"
    assert [type(p).__name__ for p in whole().parts][1:] == ["BM25", "SelfParam"]


def test_it_keeps_the_contract() -> None:
    assert [point for point in check("bm25+selfparam", ["epochs=1", "adapter_scope=decode"]) if not point.ok] == []
