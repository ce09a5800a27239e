"""A table for a paper: LaTeX with the booktabs package."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from itertools import groupby

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--", "·": r"$\cdot$", "−": "$-$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "†": r"\dag{}", "‡": r"\ddag{}", "‖": r"$\Vert$", "×": r"$\times$", "µ": r"$\mu$", "≤": r"$\le$", "≥": r"$\ge$",
    "≈": r"$\approx$", "≠": r"$\neq$", "∞": r"$\infty$", "→": r"$\to$", "√": r"$\surd$", "«": r"$\ll$", "»": r"$\gg$",
    "--": "-{}-", "[": "{[}", "*": "{*}",  # no dash of an option, and nothing that the \\ of the line before would take
}  # fmt: skip
# Greek letters that LaTeX has by their names; the others look like Latin ones.
_CAPITAL = "GAMMA DELTA THETA LAMDA XI PI SIGMA UPSILON PHI PSI OMEGA"
_SMALL = f"{_CAPITAL} ALPHA BETA EPSILON ZETA ETA IOTA KAPPA MU NU RHO TAU CHI"
# Letters and marks beyond ASCII that LaTeX knows without a package, in its usual encoding.
_KNOWN = frozenset(map(chr, (*range(0xA1, 0x180), *range(0x2010, 0x2032)))).difference(
    "«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ‗‚‛„‟‣․‥‧"
)


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
    text = re.sub(
        r"(?<![\w-])-(?=\d)", "−", " ".join(unicodedata.normalize("NFC", text).split())
    )  # a hyphen is no minus
    parts = [(part, _known(part)) for part in re.findall("--|.", text)]
    runs = groupby(parts, key=lambda pair: pair[1] is None)
    return "".join(
        _other("".join(part for part, _ in run)) if other else "".join(known or "" for _, known in run)
        for other, run in runs
    )


def _known(part: str) -> str | None:
    """How every LaTeX sets a letter; None for one that some cannot."""
    if part in _LATEX:
        return _LATEX[part]
    if part.isascii() or part in _KNOWN:
        return part
    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(part, ""))
    if greek is None or greek[2] not in (_SMALL if greek[1] == "SMALL" else _CAPITAL).split():
        return None
    name = greek[2].replace("LAMDA", "LAMBDA")
    return rf"$\{name.lower() if greek[1] == 'SMALL' else name.capitalize()}$"


def _other(run: str) -> str:
    """Letters of other scripts: themselves for LuaLaTeX and XeLaTeX, their numbers for pdfLaTeX, which would stop."""
    return rf"\ifdefined\Umathchar {run}\else {' '.join(f'U+{ord(letter):04X}' for letter in run)}\fi{{}}"
