"""The command that writes test questions about one's own documents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from membench.cli.play.run_options import DEFAULT_MODEL
from membench.cli.shared import completion
from membench.cli.shared.manners import common, like_terminal, note
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table
from membench.errors import MembenchError
from membench.text.visible import visible

if TYPE_CHECKING:
    from membench.documents.looking_over import Verdict
    from membench.documents.passages import Passage
    from membench.documents.questions import Draft, Writer
    from membench.model.llm import LLM

TEMPLATE = "template"


@command()
@click.argument("folder", type=PathType(), metavar="DIR")
@click.option("-o", "--output", "file", required=True, type=PathType(), help="The file, *.jsonl.")
@click.option(
    "--writer", default=TEMPLATE, show_default=True, metavar="WRITER",
    help="template: a gap in a sentence; self: the model; openai[:MODEL]: an endpoint.",
)  # fmt: skip
@click.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    help="Who reads: alias, local folder or hub id.",
    shell_complete=completion.models,
)
@click.option("-L", "--limit", metavar="N", type=click.IntRange(min=1), help="Passages, from the beginning.")
@click.option("--base-url", help="OpenAI-compatible endpoint for the writer `openai`.")
@click.option("--offline", is_flag=True, help="Refuse the network.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def questions(
    folder: Path, file: Path, writer: str, model: str, limit: int | None, base_url: str | None, offline: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Write test questions about the documents in DIR.

    And target pairs, which memories may be trained on. Each question is asked with its passage before the model's eyes
    and without it; a question that is not answered with it, or is answered without, is left out and shown with the
    reason. `membench run --data jsonl:FILE` plays the file.
    """
    from membench.documents.looking_over import looked_over, row
    from membench.documents.passages import passages
    from membench.io import weights
    from membench.io.atomic_files import replace_file
    from membench.targets.scribe import Scribe, provenance

    if file.suffix != ".jsonl":
        raise MembenchError(f"{file}: give the file a name that ends in .jsonl")
    if writer != TEMPLATE:
        provenance(writer)
    found = passages(folder)[:limit]
    note(f"{len(found)} passages; {model} reads each question twice, with its passage and without")
    llm, identity = _reader(model, offline)
    scribe = Scribe({}, weights.home() / "targets", base_url, offline, identity)
    drafts = _drafts(found, writer, lambda text, count: scribe.pairs(writer, text, count, llm))
    rows, verdicts = [], []
    as_list = like_terminal() and not as_json
    for draft, judged in looked_over(llm, drafts):
        verdicts += judged
        line = row(draft, judged)
        rows += [] if line is None else [line]
        note(f"{draft.passage.id}: {sum(not v.reason for v in judged)} of {len(judged)} kept")
        if as_list:
            _show_list(judged)
    if not as_list:
        _show(verdicts, as_json)
    if not rows:
        raise MembenchError(f"no question about {folder} is worth asking of {model}: take another --writer or --model")
    replace_file(file, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in rows).encode())
    kept, pairs = (sum(len(line.get(key, [])) for line in rows) for key in ("questions", "targets"))
    note(f"{file}: {kept} of {len(verdicts)} questions and {pairs} target pairs about {len(rows)} passages")
    note(f"Look them over, then: membench run -m bm25,full-context -t batch --data jsonl:{file} --limit {len(rows)}")


def _reader(model: str, offline: bool) -> tuple[LLM, str]:
    """The model, and what tells its weights from those of others of the same name."""
    from membench.io import weights
    from membench.model.llm import LLM

    path = weights.resolve(model, offline)
    llm = LLM.load(path, name=Path(model).name, style=weights.style(model), offline=offline)
    return llm, f"{weights.weights_hash(path)} {weights.files_hash(path)} {llm.model.dtype}"


def _drafts(passages: list[Passage], writer: str, write: Writer) -> Iterator[Draft]:
    from membench.documents.questions import by_template, by_writer
    from membench.targets.scribe import NoPairs

    for passage in passages:
        try:
            yield by_template(passage) if writer == TEMPLATE else by_writer(passage, write)
        except NoPairs as error:
            note(f"{passage.id}: {error}")


def _show_list(verdicts: Sequence[Verdict]) -> None:
    """The questions of a passage below each other: those that are kept, and why the others are not."""
    from membench.documents.looking_over import LOST

    width = shutil.get_terminal_size((80, 24)).columns
    for v in verdicts:
        said = f" [{v.reason}{f': {v.with_text}' if v.reason == LOST else ''}]" if v.reason else ""
        text = visible(f"{v.pair.question} → {v.pair.answer}{said}")
        lines = click.wrap_text(text, width, "  - " if v.reason else "  + ", "    ")
        click.echo(click.style(lines, dim=bool(v.reason)))


def _show(verdicts: list[Verdict], as_json: bool) -> None:
    facts: list[dict[str, Any]] = [
        {
            "passage": v.passage, "question": v.pair.question, "answer": v.pair.answer, "with the passage": v.with_text,
            "without": v.without, "left out": v.reason,
        }
        for v in verdicts
    ]  # fmt: skip
    if as_json:
        print_json(facts)
    elif facts:
        print_table(list(facts[0]), [[str(value) for value in fact.values()] for fact in facts])
