"""Which architectures are read and trained, and how: tiny random models of each, against their own plain forward pass.

    python benchmarks/architectures.py [--check] [NAME...]

Writes the table of docs/models.md; with --check says whether it is current, with names prints their rows alone.
"""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.trained.verdict import training_verdict
from membench.values import Recall
from tests.support.architectures import NAMES, build

PAGE = Path(__file__).parent.parent / "docs" / "models.md"
BEGIN, END = "<!-- architectures -->", "<!-- end -->"
TEXT = "The harbour of Vellmar was built by Ines Corde in 1931. " * 3
QUESTIONS = ("Who built the harbour of Vellmar?", "In what year was the harbour of Vellmar built?")


@torch.no_grad()
def plain(llm: LLM, question: str) -> list[int]:
    """The greedy answer by the model's own forward pass, a token at a time."""
    ids = [token for segment in llm.segment_ids([TEXT], question) for token in segment]
    out: list[int] = []
    for _ in range(8):
        token = int(llm.model(torch.tensor([[*ids, *out]]), use_cache=False).logits[0, -1].argmax())
        out.append(token)
    return out


def read(llm: LLM) -> str:
    """How the model is read, if its answers are its own."""
    llm.max_new_tokens, llm.stop = 8, "\x00"
    found = llm.answer(Recall(contexts=((TEXT,),) * 2), QUESTIONS)
    for reading, question in zip(found, QUESTIONS, strict=True):
        own = plain(llm, question)
        if list(reading.ids) != own[: len(reading.ids)]:
            return "**otherwise than itself**"
    return "slowly" if llm.slow else "in branches"


def row(name: str, folder: Path) -> str:
    """A line of the table."""
    try:
        llm = LLM.load(build(name, folder / name), name=name, dtype="float32")
        how = read(llm)
    except MembenchError as refusal:
        return f"| {name} | refused | – | {short(refusal)} |"
    except KeyError:
        return f"| {name} | not in this transformers | – | |"
    try:
        verdict: Any = training_verdict(llm, 0.5)
    except MembenchError as refusal:
        return f"| {name} | {how} | refused | {short(refusal)} |"
    return f"| {name} | {how} | {verdict.way or 'refused'} | {short(verdict.reason) if not verdict.way else ''} |"


def short(refusal: object) -> str:
    return re.sub(r"/\S*/(?=\S+/config)", "", str(refusal)).replace("|", "/")[:160]


def main(arguments: list[str]) -> int:
    warnings.simplefilter("ignore")
    names = [a for a in arguments if not a.startswith("-")]
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name in names or NAMES:
            rows.append(row(name, Path(folder)))
            print(rows[-1], flush=True)
    if names:
        return 0
    head = "| architecture | read | trained | why not |\n| :-- | :-- | :-- | :-- |"
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END, 1)[1]
    text = f"{before}{BEGIN}\n{head}\n" + "\n".join(rows) + f"\n{END}{after}"
    if "--check" in arguments:
        return int(text != PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
