"""Pages of the site that are no files of docs/: README, CONTRIBUTING, CHANGELOG, and a method from its docstring.

A hook of MkDocs. Links to files of the repository that have no page become plain code, since a site has no such files.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that docs/ has not: of a method, what docs/methods.md says of it, and its settings."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    told = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "methods").glob("[a-z]*.py")):
        name = path.stem.replace("_", "-")
        said = re.search(rf"(?ms)^## {re.escape(name)}\n(.*?)(?=^## |\Z)", told)
        page = f"# {name}\n{said[1] if said else ''}\n## In the code\n\n::: methods.{path.stem}\n"
        files.append(File.generated(config, f"methods/{name}.md", content=page))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links as they are in the repository, turned to the pages of the site."""
    home = {own: source for source, own in PAGES.items()}.get(page.file.src_uri)
    base = "" if home else "docs"  # a method's page is made of a part of docs/methods.md

    def turned(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        place = posixpath.normpath(posixpath.join(base, target))
        own = PAGES.get(place) or (place.removeprefix("docs/") if place.startswith("docs/") else "")
        if own and files.get_file_from_path(own):
            here = posixpath.dirname(page.file.src_uri)
            return f"[{text}]({posixpath.relpath(own, here or '.')}{anchor})"
        return text if text.startswith("`") else f"`{text}`"

    text = LINK.sub(turned, markdown)
    if page.file.src_uri == "methods.md":
        names = sorted(f.src_uri for f in files if f.src_uri.startswith("methods/") and f.src_uri.endswith(".md"))
        listed = " · ".join(f"[{name.removeprefix('methods/').removesuffix('.md')}]({name})" for name in names)
        text = text.replace("\n\n", f"\n\nOne page a method, from its code: {listed}\n\n", 1)
    return text
