"""Which memory for 2,000 FAQ pages, over an endpoint: one command, what `advise` prints, and one answer."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from membench.cli import app
from membench.model.llm import LLM
from tests.support.model_server import Reply, serving_model

pytestmark = pytest.mark.long

PAGES = 220  # of 2,000, as many as the commands write
GAP = re.compile(r"Fill the gap \(([^)]*)\): (.*?)___(.*?)$", re.MULTILINE)
NEED = "--texts 2000 --questions-per-month 50000 --update weekly --delete required --p95 1s --price-per-hour 1.2"


def faq(folder: Path) -> Path:
    """Pages on invented products, of one question and two facts each."""
    folder.mkdir()
    for number in range(PAGES):
        product = f"{'BCDFGHKLMN'[number % 10]}{'aeiou'[number // 10 % 5]}{'rlmnst'[number // 50 % 6]}o{number}"
        (folder / f"{product}.md").write_text(
            f"# How do I return a {product}?\n\nYou can send a {product} back within {number % 83 + 7} days. "
            f"Write to desk {number % 97 + 100} of the {product} team.\n"
        )
    return folder


def clerk(body: dict[str, Any]) -> Reply | None:
    """A model that copies: of a gap the word that stands there in its prompt, where the sentence does."""
    time.sleep(0.02)
    prompt = body.get("prompt") or "".join(message["content"] for message in body["messages"])
    gaps = GAP.findall(prompt)
    _, before, after = gaps[-1] if gaps else ("", "no gap", "")
    found = re.search(re.escape(before) + r"(\w+)" + re.escape(after.rstrip()), prompt)
    choice = {"index": 0, "text": found[1] if found else "nobody", "finish_reason": "stop"}
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": 1}
    return 200, {"model": "tiny", "choices": [choice], "usage": usage}


def test_two_thousand_pages_to_one_answer(tmp_path: Path, llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    faq(tmp_path / "faq")
    with serving_model(llm, max_model_len=4096) as server:
        server.before = clerk
        there = f"--model openai:tiny --base-url {server.url} --concurrency 8"
        played = said(f"run -m bm25,full-context -t batch --data folder:faq {there}")
        assert played.exit_code == 0, played.output
        refused = said(f"advise {NEED}")
        assert refused.exit_code == 3
        assert refused.stdout.startswith("no choice: 2,000 texts are more than 10 times the 10")
        commands = re.findall(r"not measured: membench (.*)", refused.stdout)
        assert len(commands) == 3
        for command in commands:  # as they are printed
            assert said(command).exit_code == 0
        assert server.busiest == 8
    answer = said(f"advise {NEED}")
    assert answer.exit_code == 0
    assert answer.stdout.startswith("bm25: above every other within the limits; next is full-context")


def said(words: str) -> Result:
    return CliRunner().invoke(app.main, words.split())
