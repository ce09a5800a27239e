"""Documents of a folder: sections below their headings, in every kind of file."""

from __future__ import annotations

from pathlib import Path

import pytest

from membench.documents.files import Section, documents
from membench.errors import MembenchError


def test_markdown_has_sections_below_all_headings_above_them(tmp_path: Path) -> None:
    text = "# Ferry\n\nThe **boat**\nis `new`.\n\n## Fares\n\n- Adults pay 4.\n- Dogs pay 2.\n\n"
    text += "# Port\n\n| a | b |\n|-|-|\n| x | y |\n"
    (tmp_path / "a.md").write_text(text)
    assert documents(tmp_path) == {
        "a.md": [
            Section(("Ferry",), ("The boat is new.",)),
            Section(("Ferry", "Fares"), ("Adults pay 4.", "Dogs pay 2.")),
            Section(("Port",), ("a", "b", "x", "y")),
        ]
    }


def test_html_is_what_a_reader_sees(tmp_path: Path) -> None:
    page = (
        "<html><head><title>T</title><style>p {}</style><script>let a = '<p>no</p>'</script></head><body>"
        "<nav>menu</nav><h1>Rules</h1><p>Fish &amp; <b>honey</b>.</p><h2>Fees</h2><ul><li>One<li>Two</ul></body></html>"
    )
    (tmp_path / "page.html").write_text(page)
    assert documents(tmp_path)["page.html"] == [
        Section(("Rules",), ("Fish & honey.",)),
        Section(("Rules", "Fees"), ("One", "Two")),
    ]


def test_a_text_without_headings_is_called_after_its_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "notes.txt").write_text("First\nline.\r\n\r\nSecond.")
    assert documents(tmp_path) == {"deep/notes.txt": [Section(("notes",), ("First line.", "Second."))]}


def test_other_files_hidden_ones_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    for name, text in (("a.txt", "Said."), (".b.txt", "Hidden."), ("c.py", "code"), ("d.txt", ""), (".git/e.md", "x")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert list(documents(tmp_path)) == ["a.txt"]


def test_the_text_of_a_pdf(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    stream = b"BT /F1 12 Tf 40 700 Td (The mill was built in 1874.) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]  # fmt: skip
    whole, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 5\n0000000000 65535 f \n%strailer << /Size 5 /Root 1 0 R >>\n" % table
    end += b"startxref\n%d\n%%%%EOF" % len(whole)
    (tmp_path / "a.pdf").write_bytes(whole + end)
    assert documents(tmp_path)["a.pdf"] == [Section(("a",), ("The mill was built in 1874.",))]


@pytest.mark.parametrize(("name", "content"), [("a.pdf", b"no pdf"), ("a.txt", b"\xff\xfe\x00"), ("a.md", b"\xe9")])
def test_a_broken_file_is_one_line_with_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    if name.endswith("pdf"):
        pytest.importorskip("pypdf")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MembenchError, match=name):
        documents(tmp_path)


def test_no_folder_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=r"nowhere: no such folder: name one that holds \.txt"):
        documents(tmp_path / "nowhere")
    with pytest.raises(MembenchError, match="holds no text: its documents are"):
        documents(tmp_path)
