"""`membench train-memory`: train what `memoryllm` needs beside its base model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from membench.cli.shared import completion
from membench.cli.shared.manners import common, progress_console, verbose
from membench.cli.shared.options import PathType
from membench.cli.shared.panels import command
from membench.cli.shared.printing import print_json, print_table
from membench.errors import MembenchError

WORDS = 4000  # kept of each document
HELD_OUT = 32  # documents that losses are measured on


@command("train-memory")
@click.option(
    "--model",
    required=True,
    help="The base model: an alias, a local folder or a hub id.",
    shell_complete=completion.models,
)
@click.option("--text", required=True, help="What to train on: file:PATH, slimpajama or hub:ID.")
@click.option("-o", "--output", required=True, type=PathType(), help="Folder of the trained parts.")
@click.option("--new", default=64, show_default=True, help="Vectors that a chunk leaves.")
@click.option("--chunk", default=128, show_default=True, help="Tokens of a chunk, at most.")
@click.option("--size", default=1024, show_default=True, help="Vectors that the pool holds.")
@click.option("--store", default="input", show_default=True, help="Of each layer its input or its output.")
@click.option("--drop", default="layer", show_default=True, help="Places that are dropped: a layer's own or shared.")
@click.option("--steps", default="1500,1500,1000", show_default=True, help="Steps of the three phases.")
@click.option("--batch-size", default=16, show_default=True, help="Documents in a step.")
@click.option("--rank", default=16, show_default=True, help="Of the two adapters.")
@click.option("--alpha", default=32.0, show_default=True, help="The factor of B·A is alpha / rank.")
@click.option("--lr", default=1e-4, show_default=True, help="Learning rate behind the warm-up.")
@click.option("--warm-up", default=100, show_default=True, type=click.IntRange(min=1), help="Steps of the warm-up.")
@click.option("--seed", default=0, show_default=True)
@click.option("--save-every", default=50, show_default=True, type=click.IntRange(min=1), help="Steps between savings.")
@click.option("--device", default="auto", show_default=True, help="Where the model stands: as for `run`.")
@click.option(
    "--dtype", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto", show_default=True, help="Of weights."
)
@click.option("--offline", is_flag=True, help="Refuse the network.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@common
def train_memory(
    model: str, text: str, output: Path, save_every: int, device: str, dtype: str, offline: bool, as_json: bool,
    steps: str, **given: Any,
) -> None:  # fmt: skip
    """Train the parts that `memoryllm` needs beside its model.

    The writer and the reader of a memory pool; `-M memoryllm.checkpoint=FOLDER` then plays them. The same command goes
    on from the last saving. At the end the loss on held-out text is printed, by what is read before it.
    """
    from membench.io import weights

    weights.refuse_unknown(model)
    from membench.corpora.generic_text import generic_texts
    from membench.io import memory_codec as memories
    from membench.keyvalues.pool_training import Recipe, Trainer, losses
    from membench.model.llm import LLM

    recipe = Recipe(steps=_phases(steps), **given)
    texts = generic_texts(text, offline, WORDS)
    path = weights.resolve(model, offline)
    llm = LLM.load(path, name=Path(model).name, dtype=dtype, device=device, offline=offline)
    documents, held_out = (_long_enough(llm, part, recipe.chunk, text) for part in (texts.train, texts.held_out))
    hashes = {"weights": weights.weights_hash(path), "model_files": weights.files_hash(path)}
    identity = {"model": llm.name, **hashes, "text": texts.digest}
    trainer = Trainer(llm, recipe, documents, identity)
    trainer.resume(output)
    _train(trainer, output, save_every)
    found = losses(llm, trainer.parts({}), held_out[:HELD_OUT], recipe.new, recipe.chunk)
    memories.save(trainer.parts(found), output)
    if as_json:
        print_json(found)
    else:
        print_table(["read before it", "loss"], [[name, f"{value:.3f}"] for name, value in found.items()])


def _phases(steps: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in steps.split(","))
    except ValueError:
        raise MembenchError(f"--steps wants three whole numbers such as 1500,1500,1000, got {steps!r}") from None


def _long_enough(llm: Any, texts: tuple[str, ...], chunk: int, source: str) -> list[list[int]]:
    """The documents as tokens, those of at least one chunk."""
    documents = [ids for ids in map(llm.ids, texts) if len(ids) >= chunk]
    if not documents:
        raise MembenchError(
            f"text {source} has no document of {chunk} tokens among {len(texts)} to train on or hold out: "
            "take longer texts, or a smaller --chunk"
        )
    return documents


def _train(trainer: Any, output: Path, save_every: int) -> None:
    from membench.running.progress import Reporter

    total = sum(trainer.recipe.steps)
    title = f"train-memory · {trainer.llm.name}"
    with Reporter(progress_console(), verbose()).cell(title, 1, 1, total) as stepper:
        stepper(trainer.life.step, "from here")
        trainer.train(output, save_every, lambda step, loss: stepper(step + 1, f"loss {loss:.3f}"))
