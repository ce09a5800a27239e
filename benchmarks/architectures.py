"""Which architectures are read and trained, and how: tiny random models of each, against transformers and peft alone.

    python benchmarks/architectures.py [--check | --write] [--part I/N] [NAME...]

Prints a row for each; --write puts these rows into the table of docs/models.md, where the others stay, and --check says
whether they stand there (numbers apart). Exit status 1 if one is otherwise than the model itself, or stands not there.
"""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.nn import functional as F

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.trained.lora import Lora, wrap
from membench.trained.projections import has_experts, layers_of, projections
from membench.trained.sentences import Sentence
from membench.trained.student import first_trained
from membench.trained.trainer import mean_loss
from membench.trained.verdict import student_of, training_verdict
from membench.values import Recall
from tests.support.architectures import NAMES, build

PAGE = Path(__file__).parent.parent / "docs" / "models.md"
BEGIN, END = "<!-- architectures -->", "<!-- end -->"
HEAD = (
    "| architecture | read | logits off | trained | gradient off | adapter on | all-linear has too | why not |",
    "| :-- | :-- | --: | :-- | --: | :-- | :-- | :-- |",
)  # fmt: skip
TEXT = "The harbour of Vellmar was built by Ines Corde in 1931. " * 3
QUESTIONS = ("Who built the harbour of Vellmar?", "In what year was the harbour of Vellmar built?")
LORA = Lora(rank=2)
CLOSE = {"read": 1e-4, "trained": 1e-2}  # a share of the largest logit, and of the gradient's norm
Losses = Callable[[], tuple[PeftModel, Tensor]]


@torch.no_grad()
def read(llm: LLM) -> float:
    """The largest difference of the logits of two answers from the model's own, as a share of the largest."""
    llm.max_new_tokens, llm.stop = 8, "\x00"
    worst = 0.0
    found = llm.answer(Recall(contexts=((TEXT,),) * 2), QUESTIONS)
    for reading, question in zip(found, QUESTIONS, strict=True):
        ids = [token for segment in llm.segment_ids([TEXT], question) for token in segment]
        own = llm.model(torch.tensor([[*ids, *reading.ids]]), use_cache=False).logits[0, len(ids) - 1 :].float()
        mine = llm.logits(reading.hidden.to(llm.model.dtype))
        worst = max(worst, float((mine - own[: len(mine)]).abs().max() / own.abs().max()))
    return worst


def gradients(losses: Losses) -> dict[str, Tensor]:
    """Of the adapter's factors, which are the same for each way to the loss."""
    with torch.random.fork_rng(devices=[]):
        wrapped, loss = losses()
        loss.backward()  # type: ignore[no-untyped-call]
    prefix = "base_model.model."
    found = {n.removeprefix(prefix): p.grad.clone() for n, p in wrapped.named_parameters() if p.grad is not None}
    wrapped.unload()
    return found


def stirred(wrapped: PeftModel) -> PeftModel:
    """With factors that change what the model says, by their names."""
    with torch.no_grad():
        for k, (_, factor) in enumerate(sorted((n, p) for n, p in wrapped.named_parameters() if "lora_" in n)):
            factor.copy_(torch.randn(factor.shape, generator=torch.Generator().manual_seed(k)) * 0.02)
    return wrapped.eval()


def trained(llm: LLM, way: str) -> float:
    """The difference of a step's gradient from that of peft on the same modules, as a share of its norm."""
    texts = "The harbour of Vellmar was built by Ines Corde.", "It holds forty ships in a good year."
    step = [Sentence("context", (), (), tuple(llm.ids(text)), 1) for text in texts]
    cut = first_trained(len(layers_of(llm.model)[1]), LORA.upper)

    def ours() -> tuple[PeftModel, Tensor]:
        wrapped = stirred(wrap(llm, LORA, cut))
        with student_of(llm, step, cut, way).reading(step) as hidden:
            return wrapped, mean_loss(llm, step, hidden)

    def plain() -> tuple[PeftModel, Tensor]:
        names = projections(llm.model, cut)
        moved = has_experts(llm.model)  # peft would put some adapters on the experts
        config = LoraConfig(r=LORA.rank, lora_alpha=LORA.alpha, target_modules=names)
        wrapped = stirred(wrap(llm, LORA, cut) if moved else get_peft_model(llm.model, config))
        each = []
        for s in step:
            logits = llm.model(torch.tensor([s.tokens]), use_cache=False).logits[0].float()
            each.append(F.cross_entropy(logits[:-1], torch.tensor(s.tokens[1:])))
        return wrapped, torch.stack(each).mean()

    mine, theirs = gradients(ours), gradients(plain)
    llm.model.requires_grad_(False)
    if mine.keys() != theirs.keys():
        return float("inf")
    off = sum(float((mine[n] - theirs[n]).norm()) ** 2 for n in mine)
    return float((off / max(sum(float(theirs[n].norm()) ** 2 for n in mine), 1e-30)) ** 0.5)


def others(llm: LLM) -> tuple[list[str], list[str]]:
    """What an adapter lies on, and what peft's `all-linear` would put one on besides, in the trained layers."""
    name, layers = layers_of(llm.model)
    cut = first_trained(len(layers), LORA.upper)
    own = set(projections(llm.model, cut))
    try:
        wrapped = get_peft_model(llm.model, LoraConfig(r=2, target_modules="all-linear"))
    except ValueError:  # peft refuses some modules that it has chosen itself
        return leaves(own), ["(peft refuses all-linear)"]
    every = [n.removeprefix("base_model.model.") for n, m in wrapped.named_modules() if isinstance(m, LoraLayer)]
    wrapped.unload()
    llm.model.requires_grad_(False)
    upper = {f"{name}.{k}." for k in range(cut, len(layers))}
    more = [n for n in every if n not in own and any(n.startswith(prefix) for prefix in upper)]
    return leaves(own), leaves(more)


def leaves(names: Sequence[str] | set[str]) -> list[str]:
    return sorted({name.rpartition(".")[2] for name in names})


def row(name: str, folder: Path) -> tuple[str, bool]:
    """A line of the table, and whether all in it is right."""
    try:
        llm = LLM.load(build(name, folder / name), name=name, dtype="float32")
        off = read(llm)
    except MembenchError as refusal:
        return f"| {name} | refused | – | – | – | – | – | {short(refusal)} |", True
    except KeyError:
        return f"| {name} | not in this transformers | – | – | – | – | – | |", True
    head = f"| {name} | {'slowly' if llm.slow else 'in branches'} | {off:.0e}"
    verdict: Any = training_verdict(llm, LORA.upper)
    if not verdict.way:
        return f"{head} | refused | – | – | – | {short(verdict.reason)} |", off < CLOSE["read"]
    gradient = trained(llm, verdict.way)
    own, more = (", ".join(those) for those in others(llm))
    right = off < CLOSE["read"] and gradient < CLOSE["trained"]
    return f"{head} | {verdict.way} | {gradient:.0e} | {own} | {more} | |", right


def short(refusal: object) -> str:
    return re.sub(r"/\S*/(?=\S+/config)", "", str(refusal)).replace("|", "/")[:160]


def told(line: str) -> str:
    """A row without its numbers, which another machine has others of."""
    return re.sub(r"\d(\.\d+)?e[+-]\d+", "", line)


def main(arguments: list[str]) -> int:
    warnings.simplefilter("ignore")
    part = arguments.pop(arguments.index("--part") + 1) if "--part" in arguments else "1/1"
    index, count = map(int, part.split("/"))
    names = [a for a in arguments if not a.startswith("-")] or list(NAMES)
    rows, right = {}, True
    with tempfile.TemporaryDirectory() as folder:
        for name in names[index - 1 :: count]:
            rows[name], sound = row(name, Path(folder))
            right &= sound
            print(rows[name] if sound else f"{rows[name]} <- otherwise than itself", flush=True)
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    table, after = rest.split(END, 1)
    there = {line.split(" | ")[0].removeprefix("| "): line for line in table.strip().splitlines()[2:]}
    if "--check" in arguments:
        return int(not right or any(told(there.get(n, "")) != told(line) for n, line in rows.items()))
    if "--write" in arguments:
        lines = [(there | rows)[name] for name in NAMES if name in there | rows]
        PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join([*HEAD, *lines]) + f"\n{END}{after}", encoding="utf-8")
    return int(not right)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
