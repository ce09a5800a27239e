"""CounterFact, edits with neighbours (Meng et al., NeurIPS 2022); `--data counterfact:FILE`, or a hub id.

A file is a JSON list, or JSON lines, of one of three forms: the published records (`requested_rewrite`,
`paraphrase_prompts`, `neighborhood_prompts`); flat records (`prompt`, `target_new`, `ground_truth`, `rephrase_prompt`,
`locality_prompt`, `locality_ground_truth`); or edits (`original`, `target_new_object`, `prompt`), whose neighbours
stand in `aligned_facts.jsonl` beside them, in the edits' order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from membench.api import Source
from membench.errors import MembenchError
from membench.io.hub import hub_rows
from membench.io.user_files import data_name, is_file_argument, read_json, read_jsonl, read_text, user_path, want
from membench.values import Context, Dataset, Pair, Question

HUB_ID = "azhx/counterfact"
FACTS = "aligned_facts.jsonl"
NEIGHBOURS = 10  # of each edit, at most

Row = tuple[str, Mapping[str, Any]]


class Counterfact(Source):
    """Edits that contradict what models know; the argument is a file or a hub id (its test split)."""

    def load(self, argument: str, limit: int, held_out: int) -> Dataset:
        """One context an edit: its sentence. The question is the sentence's beginning, the tag `old` the true value.

        Probes: one paraphrase or two, and up to ten neighbours (`near_entity`), whose true answer is the value that the
        edit takes away. Raises MembenchError with the place of a wrong record.
        """
        local = bool(argument) and is_file_argument(argument)
        rows = _from_file(argument) if local else _from_hub(argument or HUB_ID)
        contexts: list[Context] = []
        for number, (where, row) in enumerate(rows):
            if len(contexts) == limit + held_out:
                break
            contexts.append(_context(f"cf-{number}", row, where))
        if not contexts:
            raise MembenchError(f"{argument or HUB_ID}: holds no edit: want one record or more")
        return Dataset(data_name("counterfact", argument), tuple(contexts[:limit]), tuple(contexts[limit:]))


def _from_hub(name: str) -> Iterator[Row]:
    for number, row in enumerate(hub_rows(name, "test"), 1):
        yield f"{name}, record {number}", row


def _from_file(path: str) -> Iterator[Row]:
    if read_text(path).lstrip().startswith("["):
        for number, row in enumerate(read_json(path), 1):
            yield f"{path}, record {number}", row
        return
    rows = read_jsonl(path)
    first = next(rows)
    every = (first, *rows)
    yield from _with_neighbours(every, path) if "target_new_object" in first[1] else every


def _with_neighbours(edits: Iterable[Row], path: str) -> Iterator[Row]:
    """Edits with the neighbours that stand in the file beside them, a block of lines for each, in the same order."""
    facts = user_path(path).with_name(FACTS)
    blocks = groupby(read_jsonl(str(facts)), key=lambda row: want(row[1], "related_to_subject", str, row[0]))
    kept: tuple[str, str, list[str]] | None = None
    for where, edit in edits:
        subject = want(want(edit, "original", dict, where), "subject", str, where)
        if kept is None or kept[0] != subject:
            name, block = next(blocks, ("", iter(())))
            lines = list(block)
            if name != subject:
                place = f"{lines[0][0]}: about {name!r}" if lines else f"{facts}: ends"
                raise MembenchError(f"{place} where the neighbours of {subject!r} ({where}) should stand")
            kept = (name, lines[0][0], [want(r, "prompt", str, w) for w, r in lines if r.get("category") == _NEAR])
        yield where, {**edit, "neighborhood_prompts": kept[2]}


_NEAR = "neighborhood"


def _context(id_: str, row: Mapping[str, Any], where: str) -> Context:
    if not isinstance(row, Mapping):
        raise MembenchError(f"{where}: wants an object, got {type(row).__name__}")
    for key, read in (("requested_rewrite", _published), ("ground_truth", _flat), ("target_new_object", _edit)):
        if key in row:
            prompt, new, old, paraphrases, neighbours = read(row, where)
            break
    else:
        raise MembenchError(f"{where}: wants 'requested_rewrite', 'ground_truth' or 'target_new_object'")
    of = f"{id_}-0"
    probes = [
        Question(f"{id_}-paraphrase-{k}", text.strip(), (new,), id_, (old,), {"kind": "paraphrase", "of": of})
        for k, text in enumerate(paraphrases)
    ]
    probes += [
        Question(f"{id_}-near-{k}", text.strip(), (true,), id_, (new,), {"kind": "near_entity", "of": of})
        for k, (text, true) in enumerate(neighbours[:NEIGHBOURS])
    ]
    question = Question(of, prompt, (new,), id_, (old,), {"kind": "test", "old": old})
    target = Pair(f"How does this sentence end: {prompt} …?", new)
    return Context(id_, f"{prompt} {new}.", (question,), (target,), tuple(probes))


Parts = tuple[str, str, str, list[str], list[tuple[str, str]]]  # prompt, new, old, paraphrases, neighbours and truths


def _published(row: Mapping[str, Any], where: str) -> Parts:
    edit = want(row, "requested_rewrite", dict, where)
    new, old = (want(want(edit, key, dict, where), "str", str, where) for key in ("target_new", "target_true"))
    prompt = want(edit, "prompt", str, where).replace("{}", want(edit, "subject", str, where))
    texts = {key: want(row, key, list, where) for key in ("paraphrase_prompts", "neighborhood_prompts")}
    if not all(isinstance(text, str) and text.strip() for those in texts.values() for text in those):
        raise MembenchError(f"{where}: 'paraphrase_prompts' and 'neighborhood_prompts' must be lists of texts")
    return prompt, new, old, texts["paraphrase_prompts"], [(text, old) for text in texts["neighborhood_prompts"]]


def _flat(row: Mapping[str, Any], where: str) -> Parts:
    keys = ("prompt", "target_new", "ground_truth", "rephrase_prompt", "locality_prompt", "locality_ground_truth")
    prompt, new, old, rephrase, near, truth = (want(row, key, str, where) for key in keys)
    return prompt, new, old, [rephrase], [(near, truth)]


def _edit(row: Mapping[str, Any], where: str) -> Parts:
    old = want(want(row, "original", dict, where), "object", str, where)
    prompt, new = want(row, "prompt", str, where), want(row, "target_new_object", str, where)
    return prompt, new, old, [], [(text, old) for text in row["neighborhood_prompts"]]
