"""`--model openai:NAME` against a small real endpoint on this machine that serves the tiny model."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from membench.analysis.verify import verify
from membench.api import Adapter, Method, Recall
from membench.endpoints import http_call, model_client
from membench.endpoints.model_client import ModelClient
from membench.endpoints.model_probe import PROMPT
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.planning.request import Request
from membench.running import runner
from membench.running.text_only import refuse_weights
from membench.served.allowance import Allowance
from membench.served.endpoint_model import EndpointModel, Terms
from membench.served.kept_answers import KeptAnswers
from membench.store import cell_folder
from tests.support.model_server import ModelServer, Reply, serving_model

pytestmark = pytest.mark.long

KEY = "key-of-this-test"


@pytest.fixture
def server(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(http_call, "BACKOFF", 0.01)
    with serving_model(llm, max_model_len=llm.window) as running:
        yield running


@pytest.fixture
def request_(server: ModelServer, data_file: Path, tmp_path: Path) -> Request:
    return Request(
        methods=("bm25",), tasks=("single",), data=(f"jsonl:{data_file}",), model="openai:tiny", limit=2,
        base_url=server.url, output=tmp_path / "far",
    )  # fmt: skip


def play(request: Request) -> tuple[list[dict[str, Any]], str]:
    """The results, and what was said."""
    console = Console(record=True, width=500, file=io.StringIO())
    return runner.run(request, console), console.export_text()


def answers(output: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """Every stored answer, by method, episode, step and question."""
    return {
        (cell.recipe["method"], r["episode"], str(r["step"]), r["question"]): r
        for cell in cell_folder.cells(output)
        for r in cell_folder.records_of(cell)
        if r["type"] == "answer"
    }


def near(far: dict[str, float], here: dict[str, float]) -> None:
    assert far.keys() == here.keys() - {"fidelity_kl"}
    for name, value in far.items():
        assert value == pytest.approx(here[name], abs=2e-5), name


def test_answers_and_likelihoods_are_those_of_the_model_itself(
    request_: Request, server: ModelServer, tiny: Path, tmp_path: Path
) -> None:
    request_ = replace(request_, limit=1)
    far, _ = play(request_)
    here, _ = play(replace(request_, model=str(tiny), base_url=None, output=tmp_path / "here", style="plain"))
    assert [r["status"] for r in far] == ["done"] * 3
    theirs, ours = answers(tmp_path / "far"), answers(tmp_path / "here")
    assert theirs.keys() == ours.keys()
    assert any(r["answer"] for r in ours.values())
    for key, record in theirs.items():
        assert record["answer"] == ours[key]["answer"], key
        near(record["scores"], ours[key]["scores"])
    assert server.busiest > 1
    tokens = [[r["ledger"]["read_tokens_per_question"]["reader"]["generated"] for r in some] for some in (far, here)]
    assert tokens[0] == pytest.approx(tokens[1], abs=1)  # the endpoint counts what ends an answer too
    assert all(r["costs"]["live_bytes"] is r["costs"]["cell_peak_bytes"] is None for r in far)


def test_yardsticks_ask_the_questions_of_several_texts_at_once(request_: Request, server: ModelServer) -> None:
    """Each once, as when text follows text; answers that are not kept (`--overwrite`) are asked for in turn."""
    plain, texts = server.reply, []

    def slowly(path: str, body: dict[str, Any]) -> Reply:
        time.sleep(0.05)
        return plain(path, body)

    server.reply = slowly  # type: ignore[method-assign]
    server.logprobs = False
    for overwrite in (False, True):
        server.bodies.clear()
        server.busiest = 0
        play(replace(request_, methods=("in-context",), limit=3, concurrency=6, overwrite=overwrite))
        texts.append(sorted(server.prompts))
        assert server.busiest == (2 if overwrite else 6)  # questions a text has, and all that there are
    assert texts[0] == texts[1]
    assert len(texts[0]) == 2 * 3 * 2  # floor and reference


def test_one_question_that_is_refused_leaves_the_texts_before_it_closed(request_: Request, server: ModelServer) -> None:
    def refuse(body: dict[str, Any]) -> Reply | None:
        odd = "year was the harbour of Brannow" in str(body.get("prompt"))
        return (400, {"error": {"message": "no such question"}}) if odd else None

    server.before = refuse
    play(replace(request_, methods=("in-context",), limit=3))
    (gold,) = (c for c in cell_folder.cells(request_.output) if c.recipe["method"] == "in-context")
    closed = {record["episode"] for record in cell_folder.records_of(gold) if record["type"] == "ask"}
    assert (gold.status, len(closed)) == ("failed", 2)


def alone(request: Request, **changes: Any) -> Request:
    """One method and one context: the cheapest cell."""
    return replace(request, methods=("full-context",), limit=1, yardsticks=False, **changes)


def test_where_texts_are_not_completed_the_same_prompt_goes_as_a_message(
    request_: Request, server: ModelServer
) -> None:
    server.serves = {"chat/completions"}
    (result,), said = play(alone(request_, concurrency=1))
    assert result["status"] == "done"
    assert result["recipe"]["style"] == "chat"
    assert result["recipe"]["endpoint"]["api"] == "chat"
    first = next(body for body in server.bodies if "Vellmar" in str(body))
    assert first["messages"] == [
        {
            "role": "user",
            "content": "Answer the question in a few words.\n\n"
            "The harbour of Vellmar was built by Ines Corde in 1931.\n\n"
            "Who built the harbour of Vellmar?",
        }
    ]
    assert (first["temperature"], first["max_tokens"], first["stop"]) == (0, 16, ["\n"])
    reason = "the endpoint sends no log-probabilities of a prompt's tokens"
    assert f"the likelihood columns stay empty: {reason}" in said
    assert result["endpoint"] == {"no_likelihoods": reason}
    assert not {"gold_logprob/all", "margin/all"} & result["summary"].keys()


def test_what_a_server_refuses_is_left_out_and_told(request_: Request, server: ModelServer) -> None:
    def refuse(body: dict[str, Any]) -> Reply | None:
        odd = [name for name in ("temperature", "max_tokens") if name in body and not body.get("echo")]
        return (400, {"error": {"message": f"Unsupported parameter: {odd[0]}"}}) if odd else None

    server.before = refuse
    (result,), _ = play(alone(request_))
    assert result["status"] == "done"
    assert result["endpoint"]["left_out"] == ["max_tokens", "temperature"]
    assert any(body.get("max_completion_tokens") == 16 and "temperature" not in body for body in server.bodies)


def test_a_wait_that_is_asked_for_is_kept(
    request_: Request, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("membench.endpoints.http_call.time.sleep", waits.append)
    turned_away: list[str] = []

    def busy(body: dict[str, Any]) -> Reply | None:
        if "Vellmar" not in body["prompt"] or len(turned_away) == 2:
            return None
        turned_away.append(body["prompt"])
        return 429, {"error": {"message": "slow down"}}, {"Retry-After": "17"}

    server.before = busy
    (result,), _ = play(alone(request_))
    assert result["status"] == "done"
    assert waits == [17.0, 17.0]


def test_an_endpoint_that_goes_away_ends_the_run_and_fails_no_cell(
    request_: Request, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_client, "LIMITS", http_call.Limits(tries=2))
    calls: list[str] = []

    def away(body: dict[str, Any]) -> Reply | None:
        calls.append(body["prompt"])
        return (503, {"error": {"message": "restarting"}}) if len(calls) > 4 else None

    server.before = away
    request = alone(request_, concurrency=1)
    with pytest.raises(MembenchError, match=r"^openai:tiny at http://127.* answered 503: restarting$"):
        play(request)
    assert list(cell_folder.cells(request.output)) == []
    server.before = lambda _: None
    answered, server.bodies = set(calls[1:4]), []
    (result,), _ = play(request)
    assert result["status"] == "done"
    assert not answered & {body["prompt"] for body in server.bodies}  # kept: they are not asked, nor paid, again
    (again,), _ = play(request)
    assert again == result


def test_a_limit_on_tokens_stops_before_it_is_passed_and_is_gone_on_from(
    request_: Request, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = replace(request_, limit=1, concurrency=2)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MEMBENCH_HOME", str(tmp_path / "other-home"))
        whole, _ = play(replace(request, output=tmp_path / "whole"))
    server.bodies = []
    for limit in (2500, 3500):
        before = len(server.bodies)
        with pytest.raises(MembenchError, match=rf"^--max-tokens-total {limit}: .* goes on from here$"):
            play(replace(request, max_tokens_total=limit))
        new = [b for b in server.bodies[before:] if b["prompt"] != PROMPT]
        assert 0 < sum(len(server.llm.first_ids(b["prompt"])) + (1 if b.get("echo") else 16) for b in new) <= limit
    results, _ = play(request)
    keys = [(b["prompt"], bool(b.get("echo"))) for b in server.bodies if b["prompt"] != PROMPT]
    assert len(keys) == len(set(keys))  # nothing was paid for twice
    assert [r["summary"] for r in results] == [r["summary"] for r in whole]
    assert [r["ledger"] for r in results] == [r["ledger"] for r in whole]  # kept answers count as when they came


def test_prices_stand_in_the_ledger_and_come_out_again(request_: Request) -> None:
    (result,), _ = play(alone(request_, price_in=2.0, price_out=10.0))
    ledger = result["ledger"]
    tokens = ledger["read_tokens_per_question"]["reader"]
    price = (tokens["read"] * 2 + tokens["generated"] * 10) / 1e6
    assert ledger["prices"] == [2.0, 10.0]
    assert ledger["read_price_per_question"] == pytest.approx(price, rel=1e-3)
    assert ledger["write_price_per_context"] == 0
    assert [v.ok for v in verify(request_.output)] == [True]
    (cell,) = cell_folder.cells(request_.output)
    (result,), _ = play(alone(request_))  # prices change no answer: the cell is done
    assert result["id"] == cell.id


def test_keys_and_passwords_are_written_nowhere(
    request_: Request, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (result,), said = play(alone(request_))
    assert set(server.keys) == {f"Bearer {KEY}"}
    url = server.url.replace("//", "//me:opensesame@")
    server.before = lambda body: (401, {"error": {"message": "wrong: opensesame"}}) if "Vellmar" in str(body) else None
    with pytest.raises(MembenchError, match=r"answered 401: wrong: \*\*\*$"):
        play(alone(request_, base_url=f"{url}?api_key=sesamestreet", output=tmp_path / "other", overwrite=True))
    assert result["recipe"]["endpoint"]["url"] == server.url
    for path in tmp_path.rglob("*"):
        text = path.read_bytes() if path.is_file() else b""
        assert not [word for word in (KEY, "opensesame", "sesamestreet") if word.encode() in text], path
    assert KEY not in said


def test_a_prompt_that_is_too_long_fails_its_cell_alone(request_: Request, server: ModelServer) -> None:
    def short(body: dict[str, Any]) -> Reply | None:
        words = "This model's maximum context length is 300 tokens, max_tokens is too large"
        return (400, {"error": {"message": words}}) if "Vellmar" in body["prompt"] else None

    server.before = short
    results, _ = play(replace(request_, methods=("base", "full-context"), limit=1, yardsticks=False))
    assert {r["status"] for r in results} == {"failed"}
    assert all("maximum context length is 300" in r["reason"] for r in results)
    assert not any("max_completion_tokens" in body for body in server.bodies)


@pytest.mark.parametrize("method", ["ft-c", "selfparam", "infllm", "cartridge", "memoryllm"])
def test_a_method_that_needs_weights_is_refused_before_anything_is_played(
    request_: Request, server: ModelServer, method: str
) -> None:
    with pytest.raises(MembenchError) as caught:
        play(replace(request_, methods=(method, "bm25")))
    assert str(caught.value) == (
        f"{method} needs the weights of its model, and openai:tiny is behind an endpoint: play memories that bring "
        "text (base, in-context, full-context, bm25, dpr, hybrid, contextual, raptor), or name a local model"
    )
    assert server.prompts == []


@dataclass(frozen=True)
class Unsaid(Method[str]):
    """A plug-in that does not say what its memory is."""

    brings: str = "adapter"

    def write(self, memory: str | None, contexts: Any) -> str:
        return contexts[0] if self.brings != "weights" else str(self.llm.model)

    def recall(self, memory: str | None, questions: Any) -> Recall:
        if self.brings == "texts":
            self.llm.complete(["Sum up:"], 4)
            return Recall(contexts=tuple((memory or "",) for _ in questions))
        return Recall(adapter=Adapter((), 1.0))


@pytest.mark.parametrize(("brings", "refused"), [("adapter", True), ("weights", True), ("texts", False)])
def test_a_plug_in_shows_whether_it_needs_weights(llm: LLM, brings: str, refused: bool) -> None:
    client = ModelClient("tiny", "http://127.0.0.1:9/v1", "completions")  # nobody is there: nothing may be asked
    far = EndpointModel("openai:tiny", client, "plain", Terms("", 99, 1, Allowance(None), KeptAnswers(None)))
    with pytest.raises(MembenchError, match="unsaid needs the weights") if refused else nullcontext():
        refuse_weights("unsaid", Unsaid(brings=brings), far)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "tiny-llm/x", "concurrency": 3}, "--concurrency is for a model at an endpoint: --model openai:NAME"),
        ({"model": "openai:"}, "names no model"),
        ({"offline": True}, "--offline, and openai:tiny is behind an endpoint"),
        ({"price_in": 1.0}, "give --price-in and --price-out together"),
        ({"price_in": -1.0, "price_out": 1.0}, "a price must be a number from 0 on, got -1.0"),
        ({"window": 0}, "--window must be at least 1, got 0"),
        ({"tasks": ("contamination",)}, "task contamination with drift reads the model's own probabilities"),
        ({"model": "openai:other"}, "answered 404: The model `other` does not exist."),
        ({"base_url": "http://127.0.0.1:9/v1"}, "openai:tiny at http://127.0.0.1:9/v1 Connection error"),
    ],
)
def test_what_cannot_be_asked_of_an_endpoint_is_one_line(
    request_: Request, server: ModelServer, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(MembenchError, match=re.escape(message)):
        play(replace(request_, **changes))
    assert server.prompts == []
