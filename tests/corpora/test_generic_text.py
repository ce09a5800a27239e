"""Generic text: what ships, what a file or a hub data set gives, and that held-out text stays out of training."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from membench.corpora import generic_text
from membench.corpora.generic_text import MAX_WORDS, GenericText, generic_texts
from membench.errors import MembenchError

SIX = ("one 1", "two 2", "three 3", "four 4", "five 5", "six 6")


def sentences(texts: tuple[str, ...]) -> set[str]:
    return {s for text in texts for s in re.split(r"(?<=[.?!])\s+", text)}


def test_builtin_is_varied_short_and_always_the_same() -> None:
    text = generic_texts("builtin")
    everything = text.train + text.held_out
    assert len(set(everything)) == len(everything) >= 400
    assert all(20 <= len(paragraph.split()) <= 60 for paragraph in everything)
    assert not any(mark in paragraph for paragraph in everything for mark in "{}|#\n")
    assert len(sentences(everything)) >= 250
    generic_text._kept.cache_clear()
    assert generic_texts("builtin").digest == text.digest == "a888c783d8b08f4d"  # new text changes results


def test_builtin_holds_out_whole_sentences() -> None:
    text = generic_texts("builtin")
    assert sentences(text.train).isdisjoint(sentences(text.held_out))


def test_a_sample_repeats_nothing_before_it_must() -> None:
    text = GenericText(("a", "b", "c"), ("d",))
    drawn = text.sample(random.Random(3), 7)
    assert set(drawn[:3]) == set(drawn[3:6]) == {"a", "b", "c"}
    assert len(drawn) == 7
    assert drawn == text.sample(random.Random(3), 7)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines.txt", "\n".join(SIX)),
        ("paragraphs.txt", "one\n1\n\ntwo 2\n  \nthree 3\n\nfour 4\n\nfive\n5\n\n\nsix 6\n"),
        ("rows.jsonl", "".join(json.dumps({"text": text}) + "\n\n" for text in SIX)),
        ("again.txt", "one 1\none 1\ntwo 2\nthree 3\nfour 4\nfive 5\nsix 6\none 1"),
    ],
)
def test_a_file_gives_its_texts_and_every_fifth_is_held_out(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    text = generic_texts(f"file:{path}")
    assert text.train == ("one 1", "two 2", "three 3", "four 4", "six 6")
    assert text.held_out == ("five 5",)


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("\n".join(f"{i} " + "word " * 900 for i in range(5)), encoding="utf-8")
    assert {len(text.split()) for text in generic_texts(f"file:{path}").train} == {MAX_WORDS}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", b"", "the file is empty"),
        ("short.txt", b"a\nb\nb\nb\nb\nb\n", "holds 2 different texts: at least 5"),
        ("rows.jsonl", b'{"text": "a"}\n{"text"', r"rows\.jsonl:2: broken JSON"),
        ("rows.jsonl", b'{"text": "a"}\n\n{"prefix": "b"}', r"rows\.jsonl:3: wants"),
        ("binary.txt", b"\xff\xfe\x00", r"binary\.txt:1: not UTF-8"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MembenchError, match=message):
        generic_texts(f"file:{path}")


@pytest.mark.parametrize("source", ["bultin", "hub:", "file", "builtin:2"])
def test_an_unknown_source_names_the_known_ones(source: str) -> None:
    with pytest.raises(MembenchError, match="builtin, slimpajama, hub:ID or file:PATH"):
        generic_texts(source)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MembenchError, match=r"gone\.txt: no such file"):
        generic_texts(f"file:{tmp_path / 'gone.txt'}")


@pytest.mark.parametrize(
    ("source", "name"), [("slimpajama", "DKYoon/SlimPajama-6B"), ("hub:no-one/nothing", "no-one/nothing")]
)
def test_offline_names_the_command_that_fetches(source: str, name: str) -> None:
    with pytest.raises(MembenchError, match=f"hf download --repo-type dataset {name}"):
        generic_texts(source, offline=True)


def test_a_hub_data_set_is_read_from_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"document {i}" for i in range(10)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps({"text": t, "meta": "m"}) + "\n" for t in texts))
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: str(tmp_path))
    text = generic_texts("hub:some-one/documents", offline=True)
    assert text.train == tuple(texts[:4] + texts[5:9])
    assert text.held_out == (texts[4], texts[9])


def test_a_hub_data_set_without_text_names_its_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.jsonl").write_text('{"body": "b", "title": "t"}\n')
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: str(tmp_path))
    with pytest.raises(MembenchError, match="no field 'text': its fields are body, title"):
        generic_texts("hub:some-one/bodies", offline=True)
