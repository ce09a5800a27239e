"""A table for a paper: LaTeX with the booktabs package."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--", "·": r"$\cdot$", "−": "$-$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "†": r"\dag{}", "‡": r"\ddag{}", "×": r"$\times$", "Σ": r"$\Sigma$", "≤": r"$\le$", "≥": r"$\ge$",
    "--": "-{}-", "[": "{[}", "*": "{*}",  # no dash of an option, and nothing that the \\ of the line before would take
}  # fmt: skip


def latex_table(
    title: str,
    head: Sequence[str],
    lines: Sequence[Sequence[str]],
    ruled: Collection[int] = (),
    notes: Sequence[str] = (),
) -> str:
    """A table environment with a caption, a label made of the title, and rules before the lines whose places are named.

    Notes stand below it. It needs `\\usepackage{booktabs}`.
    """
    rows = [" & ".join(map(_tex, line)) + r" \\" for line in lines]
    body = [part for k, row in enumerate(rows) for part in ([r"\midrule", row] if k in ruled and k else [row])]
    parts = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_tex(title)}}}",
        rf"\label{{tab:{_key(title)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(map(_tex, head)) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *(r"\par " + _tex(note) for note in notes),
        r"\end{table}",
    ]
    return "\n".join(parts)


def _key(title: str) -> str:
    """What `\\ref` calls the table: letters and digits of its title, hyphens between them."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def _tex(text: str) -> str:
    text = re.sub(r"(?<![\w-])-(?=\d)", "−", " ".join(text.split()))  # a hyphen is no minus
    return "".join(_LATEX.get(part, part) for part in re.findall("--|.", text))
