from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from membench.api import Method
from membench.errors import MembenchError
from membench.plugins import registry

PLUGIN = '''
from dataclasses import dataclass
from membench.api import Method, Recall

@dataclass(frozen=True)
class Nothing(Method[None]):
    """Keeps nothing at all."""

    def write(self, memory, contexts):
        return None

    def recall(self, memory, questions):
        return Recall()
'''


def distribution(folder: Path, name: str, points: str, **modules: str) -> None:
    """An installed distribution as importlib.metadata sees it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[membench.methods]\n{points}\n")
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)


def entry(name: str) -> registry.PlugIn:
    return next(e for e in registry.listing("methods") if e.name == name)


def test_builtin_methods_are_their_files() -> None:
    folder = Path(__file__).parents[2] / "methods"
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert set(registry.names("methods")) == files


@pytest.mark.parametrize("kind", registry.CONTRACTS)
def test_every_builtin_loads_and_has_a_summary(kind: str) -> None:
    for found in registry.listing(kind):
        assert found.error is None, found
        assert found.summary.endswith((".", ")")), found
        assert found.origin == "membench"
        assert issubclass(registry.load(kind, found.name), registry.CONTRACTS[kind])


def test_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(MembenchError) as caught:
        registry.load("methods", "selfparm")
    assert str(caught.value) == "unknown method 'selfparm': did you mean 'selfparam'?"


def test_a_third_party_method_is_found_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "acme", "nothing-at-all = acme_nothing:Nothing", acme_nothing=PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    assert entry("nothing-at-all") == registry.PlugIn("nothing-at-all", "acme", "Keeps nothing at all.")
    assert issubclass(registry.load("methods", "nothing-at-all"), Method)


def test_a_broken_plugin_is_listed_and_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = "broken = acme_broken:X\nwrong = acme_wrong:Path"
    distribution(tmp_path, "acme", points, acme_broken="1 / 0", acme_wrong="from pathlib import Path")
    monkeypatch.syspath_prepend(tmp_path)
    reason = "method 'broken' of acme cannot be imported: ZeroDivisionError: division by zero"
    assert entry("broken").error == reason
    assert entry("wrong").error == "method 'wrong' of acme is no subclass of Method"
    with pytest.raises(MembenchError, match="division by zero"):
        registry.load("methods", "broken")
    assert registry.load("methods", "base").__name__ == "Base"


def test_a_name_claimed_twice_is_an_error_only_when_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "acme", "base = acme_base:Nothing", acme_base=PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    message = "method 'base' is claimed by membench and acme: uninstall all but one"
    assert [e.error for e in registry.listing("methods") if e.name == "base"] == [message] * 2
    with pytest.raises(MembenchError, match=message):
        registry.load("methods", "base")
    assert registry.load("methods", "in-context")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("jsonl:a,b.jsonl", ["jsonl:a,b.jsonl"]),
        ("worlds,jsonl:a,b,c.jsonl,squad", ["worlds", "jsonl:a,b,c.jsonl", "squad"]),
        ("jsonl:a.jsonl,jsonl:b,c.jsonl,worlds", ["jsonl:a.jsonl", "jsonl:b,c.jsonl", "worlds"]),
        ("worlds, worlds,,squad", ["worlds", "squad"]),
    ],
)
def test_a_comma_may_stand_in_the_name_of_a_file(typed: str, found: list[str]) -> None:
    assert registry.split_data([typed]) == tuple(found)


@pytest.mark.parametrize("arguments", [["--help"], ["ls", "methods"], ["ls", "tasks"], ["ls", "models"]])
def test_help_and_ls_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom membench.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'transformers', 'peft', 'datasets', 'openai', 'scipy', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
