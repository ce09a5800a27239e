"""A table of results: what is read, and the one line that refuses what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from membench.errors import MembenchError
from membench.imported.csv_table import read_csv

HEAD = "item,context,method,score,seed\n"


def written(folder: Path, text: str) -> str:
    path = folder / "r.csv"
    path.write_text(text)
    return str(path)


def test_each_method_and_seed_is_a_result_of_its_own(tmp_path: Path) -> None:
    text = HEAD + "q1,Text A,ours,1,0\nq1,Text A,ours,0.5,1\n\nq2,,ours,0,0\nq2,,ours,0,1\n" + 'q1,"Text A",x,-3e2,\n'
    found = read_csv(written(tmp_path, text))
    assert [(r.method, r.seed, [i.scores["score"] for i in r.items]) for r in found] == [
        ("ours", 0, [1.0, 0.0]), ("ours", 1, [0.5, 0.0]), ("x", 0, [-300.0]),
    ]  # fmt: skip
    assert [item.context for item in found[0].items] == ["Text A", "q2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item,score\nq,1\n", ":1: no column 'method'"),
        ("item;method;score\nq;a;1\n", ":1: one column, 'item;method;score': put commas between"),
        ("item,method,score,score\nq,a,1,1\n", ":1: column 'score' is one too many"),
        ("item,method,score,f1\nq,a,1,1\n", ":1: column 'f1' is one too many"),
        (HEAD, ": no row below the head"),
        (HEAD + "q,c,a,1,0\nq,c,a,0,0\n", ":3: item 'q' stands at"),
        (HEAD + "q,c,a,nan,0\n", ":2: score 'nan' is no number"),
        (HEAD + "q,c,a,1e101,0\n", ":2: score 1e+101 is beyond ±1e+50"),
        (HEAD + "q,c,a,-1e99,0\n", ":2: score -1e+99 is beyond ±1e+50"),
        (HEAD + "q,c,a,yes,0\n", ":2: score 'yes' is no number"),
        (HEAD + "q,c,a,1,-1\n", ":2: seed '-1' is no whole number from 0"),
        (HEAD + "q,c,a,1,9223372036854775808\n", ":2: seed '9223372036854775808' is no whole number"),
        (HEAD + "q,c,,1,0\n", ":2: 'method' is empty"),
        (HEAD + "\nq,c,a\n", ":3: 3 cells below 5 columns"),
        (HEAD + 'q,c,"a,1,0\n', ": no CSV"),
        ("", ": the file is empty"),
    ],
)
def test_what_is_no_such_table_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(MembenchError) as caught:
        read_csv(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)
