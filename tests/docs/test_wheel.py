from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The file list of the wheel, built from a copy so that no earlier build leaks into it."""
    source = tmp_path_factory.mktemp("source")
    for folder in ("membench", "methods", "tasks"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", str(source / "dist"), str(source)], check=True, capture_output=True)
    (built,) = (source / "dist").glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_list_of_packages_is_that_of_the_folders() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "membench").rglob("__init__.py")}
    found = {".".join(folder.parts) for folder in folders}
    assert set(listed) == found | {"membench.methods", "membench.tasks"}


def test_no_package_has_more_than_twelve_modules() -> None:
    """Plug-ins excepted, of which there may be any number: methods, tasks and data sources."""
    found = [path.parent for path in (ROOT / "membench").rglob("__init__.py") if path.parent.name != "data"]
    sizes = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) - 1 for folder in found}
    assert {name: size for name, size in sizes.items() if size > 12} == {}


def test_nothing_but_membench_lands_at_the_top_level(wheel: list[str]) -> None:
    assert {name.split("/")[0] for name in wheel} == {"membench", "membench-0.1.0.dist-info"}


@pytest.mark.parametrize(
    ("folder", "package"), [("membench", "membench"), ("methods", "membench/methods"), ("tasks", "membench/tasks")]
)
def test_every_file_is_in_the_wheel(wheel: list[str], folder: str, package: str) -> None:
    kept = {".py", ".typed", ".txt", ".html", ".css", ".js"}
    files = [path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.suffix in kept]
    files = [path for path in files if "__pycache__" not in path.parts]
    assert files
    assert {f"{package}/{path.as_posix()}" for path in files} <= set(wheel)


def test_the_licence_and_the_type_marker_are_in_the_wheel(wheel: list[str]) -> None:
    assert "membench/py.typed" in wheel
    assert "membench-0.1.0.dist-info/licenses/LICENSE" in wheel
