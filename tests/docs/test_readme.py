"""The examples of README.md and CONTRIBUTING.md, played as they stand there."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from membench.cli import app
from membench.plugins import registry, settings
from membench.plugins.combined import Combined
from membench.plugins.conformance import check

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
EXAMPLES = [
    ("README.md", "methods", "rare_words"),
    ("CONTRIBUTING.md", "tasks", "gap"),
    ("CONTRIBUTING.md", "methods", "my_idea"),
]


def example(document: str, kind: str, module: str) -> str:
    """The code block that follows the mention of its file's name."""
    text = (ROOT / document).read_text(encoding="utf-8")
    _, found, after = text.partition(f"`{kind}/{module}.py`")
    block = re.search(r"```python\n(.*?)```", after, re.DOTALL)
    assert found, f"{document} does not name {kind}/{module}.py"
    assert block, f"{document} has no example {module}"
    return block[1]


@pytest.fixture
def put(tmp_path: Path) -> Iterator[Callable[[str, str, str], None]]:
    """Puts an example where the registry looks for built-in plug-ins, as if it stood in the repository's folder."""
    undo: list[Callable[[], object]] = []

    def write(document: str, kind: str, module: str) -> None:
        locations = importlib.import_module(f"membench.{kind}").__path__
        folder = tmp_path / kind
        folder.mkdir(exist_ok=True)
        (folder / f"{module}.py").write_text(example(document, kind, module), encoding="utf-8")
        if str(folder) not in locations:
            locations.append(str(folder))
            undo.append(lambda: locations.remove(str(folder)))
        undo.append(lambda: sys.modules.pop(f"membench.{kind}.{module}", None))

    yield write
    for step in undo:
        step()


@pytest.mark.parametrize("place", [place for place in EXAMPLES if place[1] == "methods"])
def test_a_method_keeps_the_contract(put: Callable[..., None], place: tuple[str, str, str]) -> None:
    put(*place)
    assert [point for point in check(place[2].replace("_", "-")) if not point.ok] == []


def test_method_and_task_run_together(put: Callable[..., None], tiny: Path, data_file: Path, tmp_path: Path) -> None:
    for place in EXAMPLES[:2]:
        put(*place)
    where = ["--data", f"jsonl:{data_file}", "--model", str(tiny), "-o", str(tmp_path / "results")]
    done = CliRunner().invoke(
        app.main, ["run", "-m", "rare-words", "-t", "gap", "-M", "keep=1", "-T", "others=1", *where]
    )
    assert done.exit_code == 0, done.output
    assert "| rare-words keep=1 |" in done.stdout


def test_the_example_finds_the_sentence_that_answers(put: Callable[..., None]) -> None:
    put(*EXAMPLES[0])
    method = importlib.import_module("membench.methods.rare_words").RareWords(keep=1)
    memory = method.write(None, ["The harbour is old. Ines Corde built the harbour.", "The inn is old."])
    assert method.recall(memory, ["Who built the harbour?"]).contexts == (("Ines Corde built the harbour.",),)


def test_the_method_example_is_as_short_as_promised() -> None:
    assert len(example(*EXAMPLES[0]).splitlines()) <= 32


def test_every_setting_is_documented() -> None:
    text, combined = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("methods.md", "combined.md"))
    documented = set(re.findall(r"^\| `(\w+)` \|", text + combined, re.MULTILINE))
    classes: list[type] = [Combined, *(registry.load("methods", name) for name in registry.names("methods"))]
    assert documented == {key for cls in classes for key in settings.types_of(cls)}
    assert set(re.findall(r"^## ([a-z0-9-]+)$", text, re.MULTILINE)) == set(registry.names("methods"))
