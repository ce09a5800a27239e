"""Documents of a folder as titled sections of plain text: .txt, .md, .html, and .pdf where pypdf is installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from membench.errors import MembenchError
from membench.io.extras import require
from membench.io.user_files import read_text

_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "nav"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {
    "p", "div", "li", "ul", "ol", "table", "tr", "section", "article", "blockquote", "pre", "br", "dt", "dd", "main",
}  # fmt: skip

Block = tuple[int, str]  # level of a heading, 0 for text; what it says


@dataclass(frozen=True)
class Section:
    """What stands below one heading: the headings above it, outermost first, and its paragraphs."""

    headings: tuple[str, ...]
    paragraphs: tuple[str, ...]


def documents(folder: Path) -> dict[str, list[Section]]:
    """The sections of each document below a folder, by its path there, in the order of the names.

    Hidden files, other kinds of file and files without text are left out. Raises MembenchError if nothing is left, and
    for a file that cannot be read.
    """
    if not os.path.isdir(folder):
        raise MembenchError(f"{folder}: no such folder: name one that holds {', '.join(READERS)} files")
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        reader = READERS.get(path.suffix.lower())
        if reader and path.is_file() and path.stat().st_size and not any(part.startswith(".") for part in name.parts):
            sections = list(_sections(reader(path), path.stem))
            if sections:
                found[name.as_posix()] = sections
    if not found:
        raise MembenchError(f"{folder} holds no text: its documents are {', '.join(READERS)} files, at any depth")
    return found


def _sections(blocks: Iterator[Block], name: str) -> Iterator[Section]:
    """Blocks gathered below their headings; a document without a heading is called after its file."""
    headings: list[tuple[int, str]] = []
    paragraphs: list[str] = []
    for level, text in blocks:
        plain = " ".join(text.split())
        if not plain:
            continue
        if not level:
            paragraphs.append(plain)
            continue
        if paragraphs:
            yield Section(tuple(title for _, title in headings) or (name,), tuple(paragraphs))
            paragraphs = []
        headings = [*(above for above in headings if above[0] < level), (level, plain)]
    if paragraphs:
        yield Section(tuple(title for _, title in headings) or (name,), tuple(paragraphs))


def _plain(path: Path) -> Iterator[Block]:
    """Paragraphs parted by blank lines."""
    for paragraph in read_text(str(path)).replace("\r\n", "\n").split("\n\n"):
        yield 0, paragraph


def _markdown(path: Path) -> Iterator[Block]:
    """Headings, paragraphs, items and cells, without marks; code stays as it is."""
    from markdown_it import MarkdownIt

    level = 0
    for token in MarkdownIt("commonmark").enable("table").parse(read_text(str(path))):
        if token.type == "heading_open":
            level = int(token.tag[1:])
        elif token.type == "inline":
            parts = (" " if part.type.endswith("break") else part.content for part in token.children or ())
            yield level, "".join(parts)
            level = 0
        elif token.type in ("fence", "code_block"):
            yield 0, token.content


class _Page(HTMLParser):
    """The blocks of a page as a reader sees them, without what is not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._level = self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        if tag in _BLOCKS:
            self.end()
            self._level = int(tag[1]) if tag in _HEADINGS else 0

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.end()

    def handle_data(self, data: str) -> None:
        if not self._hidden and self.lasttag not in ("title", *_UNSEEN):
            self._text.append(data)

    def end(self) -> None:
        """Close the block that is open."""
        self.blocks.append((self._level, "".join(self._text)))
        self._text, self._level = [], 0


def _html(path: Path) -> Iterator[Block]:
    page = _Page()
    page.feed(read_text(str(path)))
    page.close()
    page.end()
    yield from page.blocks


def _pdf(path: Path) -> Iterator[Block]:
    """The text of each page; a page without text (a scan) has none."""
    require("pdf", str(path))
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        for page in PdfReader(path).pages:
            for paragraph in page.extract_text().split("\n\n"):
                yield 0, paragraph
    except (PyPdfError, OSError, ValueError) as error:
        raise MembenchError(f"{path}: cannot be read as PDF: {error}") from error


READERS: dict[str, Callable[[Path], Iterator[Block]]] = {
    ".txt": _plain, ".md": _markdown, ".html": _html, ".htm": _html, ".pdf": _pdf,
}  # fmt: skip
