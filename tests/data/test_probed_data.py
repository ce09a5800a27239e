"""Where probes and conflicts come from: worlds without changing it, the user's own file, and CounterFact."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from membench.api import Dataset, Question
from membench.cli.app import main
from membench.corpora.probes import KINDS, conflict_questions, script
from membench.errors import MembenchError
from membench.planning.plan import data_hash
from membench.plugins import registry
from membench.text.mentions import normalise
from membench.values import NOT_STATED
from tests.support.seed_questions import BANKS, LIBRARIES, write

STORED = {8: "5099ff7f0443e6bd", 20: "4ddad2e565bb3930"}  # data hashes of the reference run's cells


def load(name: str, argument: object, limit: int = 10, probed: bool = True) -> Dataset:
    source = registry.load("data", name)()
    data: Dataset = (source.load_probed if probed else source.load)(str(argument), limit, 0)
    return data


@pytest.fixture(scope="module")
def worlds() -> Dataset:
    return load("worlds", "", 100)


@pytest.mark.parametrize("limit", STORED)
def test_stored_cells_on_worlds_keep_their_data_hash(limit: int) -> None:
    plain = load("worlds", "", limit, probed=False)
    assert data_hash(plain.contexts) == STORED[limit]
    assert plain.conflicts == ()


def test_probed_worlds_have_the_same_contexts_questions_and_targets(worlds: Dataset) -> None:
    plain = load("worlds", "", 100, probed=False)
    for a, b in zip(plain.contexts, worlds.contexts, strict=True):
        assert (a.id, a.text, a.questions, a.targets, a.revision) == (b.id, b.text, b.questions, b.targets, b.revision)
        assert b.probes[:3] == a.probes
    assert load("worlds", "", 5).contexts == worlds.contexts[:5]
    assert load("worlds", "", 5).conflicts == worlds.conflicts[:5]


def test_every_context_has_every_kind_and_ids_are_unique(worlds: Dataset) -> None:
    ids: list[str] = []
    for number, context in enumerate(worlds.contexts):
        asked = script(context, number, 4)
        assert {q.tags["kind"] for q in asked} == {"test", *KINDS}
        ids += [q.id for q in asked]
    ids += [q.id for old in worlds.conflicts for q in conflict_questions(old)]
    assert len(ids) == len(set(ids))


def test_probes_of_worlds_are_what_their_kind_says(worlds: Dataset) -> None:
    for number, context in enumerate(worlds.contexts):
        asked = script(context, number, 4)
        tests = {q.id: q for q in context.questions}
        names = {q.answers[0] for q in asked if q.tags["kind"] == "reversed"}
        (name,) = (normalise(n) for n in names)
        for probe in asked:
            kind, said = probe.tags["kind"], normalise(probe.text)
            if kind in ("near_entity", "pattern"):
                assert name not in said, probe
                assert probe.distractors[0] == tests[probe.tags["of"]].answers[0]
            elif kind in ("near_attribute", "unanswerable", "paraphrase"):
                assert name in said, probe
            if kind == "reversed":
                assert name not in said
                assert normalise(tests[probe.tags["of"]].answers[0]) in said
            if kind in ("near_attribute", "unanswerable"):
                assert probe.tags["fact"] not in {q.tags["fact"] for q in context.questions} or kind != "unanswerable"
                assert probe.answers == NOT_STATED


def test_conflicts_of_worlds_are_dated_and_sourced(worlds: Dataset) -> None:
    assert len(worlds.conflicts) >= 95
    for old in worlds.conflicts:
        new = old.revision
        assert new is not None
        assert int(old.text[3:7]) < int(new.text[3:7])
        asked = conflict_questions(old)
        for start in range(0, len(asked), 4):
            plain, other, first, second = asked[start : start + 4]
            assert len({q.tags["fact"] for q in (plain, other, first, second)}) == 1
            assert plain.answers == other.answers == second.answers
            assert plain.text != other.text
            assert plain.answers[0].casefold() in new.text.casefold()
            assert plain.tags["old"] == first.answers[0] == plain.distractors[0]
            assert first.answers[0].casefold() in old.text.casefold()
            for question, text in ((first, old.text), (second, new.text)):
                source = question.text.removeprefix("According to the ").partition(",")[0]
                assert f"the {source} reported" in text
        assert [p.answer for p in old.targets] == [q.tags["old"] for q in asked if q.tags["kind"] == "conflict"]


def test_there_are_twenty_facts_of_every_kind_about_ten_contexts() -> None:
    data = load("worlds", "", 10)
    probes = Counter(q.tags["kind"] for number, c in enumerate(data.contexts) for q in script(c, number, 4))
    assert min(probes.values()) >= 20
    assert len({(old.id, q.tags["fact"]) for old in data.conflicts for q in conflict_questions(old)}) >= 20


def test_the_users_own_probes_and_conflict(tmp_path: Path) -> None:
    path = write(tmp_path / "seeds.jsonl")
    data = load("jsonl", path)
    banks = {q.tags["kind"]: q for q in script(data.contexts[0], 0, 4)}
    assert banks["paraphrase"].answers == ("38 percent", "38")
    assert banks["pattern"].answers == NOT_STATED
    assert banks["pattern"].distractors == ("38 percent", "57 percent", "12 percent", "74 percent")
    assert banks["reversed"].answers == ("fees",)
    assert len([q for q in script(data.contexts[0], 0, 4) if q.tags["kind"] == "unrelated"]) == 3
    libraries = {q.tags["kind"]: q for q in script(data.contexts[1], 1, 4)}
    assert libraries["pattern"].answers == ("21 percent",)
    assert libraries["unrelated"].answers == ("Paris",)
    (old,) = data.conflicts
    kinds = {q.tags["kind"]: q for q in conflict_questions(old)}
    assert list(kinds) == ["conflict", "source_old", "source_new"]
    assert kinds["conflict"].tags["old"] == "38 percent | 38"
    assert kinds["source_old"].answers == ("38 percent", "38")
    assert load("jsonl", path, probed=False).contexts[0].probes == ()


def wrong(change: str) -> dict[str, Any]:
    row = copy.deepcopy(LIBRARIES)
    exec(change, {"row": row, "conflict": copy.deepcopy(BANKS["conflict"])})
    return row


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("row['probes'][1]['of'] = 3", "probes[1]: 'of' is 3: want the number of its pair in 'questions', 0 to 0"),
        ("row['questions'] *= 2; del row['probes'][0]['of']", "probes[0]: 'of' is missing"),
        ("row['probes'][0]['kind'] = 'near'", "probes[0]: unknown kind 'near': choose from paraphrase, reversed"),
        ("del row['probes'][2]['answer']", "probes[2]: 'answers' is missing"),
        ("row['conflict'] = conflict; del conflict['new']", "conflict: 'new' is missing"),
        ("row['conflict'] = conflict; del conflict['old']['answers']", "conflict.old: 'answers' is missing"),
        ("row['conflict'] = conflict; conflict['questions'] = ['']", "conflict: 'questions' must be a list of texts"),
        ("row['conflict'] = conflict; conflict['new']['answers'] = ['38 %']", "conflict: '38' answers both 'old' and"),
    ],
)
def test_a_wrong_probe_is_one_line_with_file_and_record(change: str, message: str, tmp_path: Path, tiny: Path) -> None:
    path = write(tmp_path / "my.jsonl", BANKS, wrong(change))
    done = CliRunner().invoke(
        main, ["run", "-m", "bm25", "-t", "contamination", "--data", f"jsonl:{path}", "--model", str(tiny), "-o", "x"]
    )
    assert done.exit_code == 2
    (line,) = [line for line in done.stderr.splitlines() if "my.jsonl" in line]
    assert f"{path}:2: {message}" in line


EDIT = {
    "original": {"subject": "Ann Ray", "relation": "P103", "object": "French"},
    "target_new_object": "English", "prompt": "The mother tongue of Ann Ray is", "category": "generation",
}  # fmt: skip
OTHER = {**EDIT, "original": {"subject": "Bo Lund", "object": "Danish"}, "prompt": "Bo Lund speaks"}


def fact(subject: str, prompt: str, category: str = "neighborhood") -> dict[str, Any]:
    return {"prompt": prompt, "related_to_subject": subject, "expected_change": False, "category": category}


def edits(folder: Path, *facts: dict[str, Any]) -> Path:
    (folder / "aligned_facts.jsonl").write_text("".join(f"{json.dumps(f)}\n" for f in facts))
    path = folder / "edits.jsonl"
    path.write_text(f"{json.dumps(EDIT)}\n{json.dumps(OTHER)}\n")
    return path


def kinds_of(questions: tuple[Question, ...], kind: str) -> list[Question]:
    return [q for q in questions if q.tags["kind"] == kind]


def test_counterfact_edits_with_their_neighbours(tmp_path: Path) -> None:
    near = [fact("Ann Ray", f"Neighbour {k} is a native speaker of") for k in range(12)]
    path = edits(tmp_path, *near, fact("Ann Ray", "Someone speaks", "attribute"), fact("Bo Lund", "Ib Lund speaks"))
    data = load("counterfact", path)
    first, second = data.contexts
    assert first.text == "The mother tongue of Ann Ray is English."
    (question,) = first.questions
    assert (question.answers, question.distractors, question.tags["old"]) == (("English",), ("French",), "French")
    asked = script(first, 0, 4)
    neighbours = kinds_of(asked, "near_entity")
    assert len(neighbours) == 10
    assert all(q.answers == ("French",) and q.distractors == ("English",) for q in neighbours)
    assert [q.text for q in kinds_of(script(second, 1, 4), "near_entity")] == ["Ib Lund speaks"]


def test_counterfact_neighbours_of_nobody_are_named(tmp_path: Path) -> None:
    path = edits(tmp_path, fact("Ann Ray", "A speaks"), fact("Cy Moe", "C speaks"))
    with pytest.raises(MembenchError, match=r"aligned_facts.jsonl:2: about 'Cy Moe' where the neighbours of 'Bo Lund'"):
        load("counterfact", path)
    with pytest.raises(MembenchError, match=r"aligned_facts.jsonl: ends where the neighbours of 'Bo Lund'"):
        load("counterfact", edits(tmp_path, fact("Ann Ray", "A speaks")))


def test_counterfact_flat_and_published_records(tmp_path: Path) -> None:
    flat = {
        "case_id": 1, "prompt": "BBC One, by", "target_new": "Sega", "subject": "BBC One", "ground_truth": "BBC",
        "rephrase_prompt": "BBC One is owned by", "locality_prompt": "BBC Radio, by", "locality_ground_truth": "BBC",
    }  # fmt: skip
    published = {
        "requested_rewrite": {
            "prompt": "{}, by", "subject": "BBC One", "target_new": {"str": "Sega"}, "target_true": {"str": "BBC"},
        },
        "paraphrase_prompts": ["BBC One is owned by"], "neighborhood_prompts": ["BBC Radio, by"],
    }  # fmt: skip
    path = tmp_path / "cf.json"
    found = []
    for row in (flat, published):
        path.write_text(json.dumps([row]))
        found.append(load("counterfact", path).contexts)
    assert found[0] == found[1]
    assert [q.tags["kind"] for q in found[0][0].probes] == ["paraphrase", "near_entity"]
    path.write_text(json.dumps([flat, {**flat, "ground_truth": 3}]))
    with pytest.raises(MembenchError, match=r"cf.json, record 2: 'ground_truth' must be a text"):
        load("counterfact", path)
    path.write_text(json.dumps([{"prompt": "x"}]))
    with pytest.raises(MembenchError, match="record 1: wants 'requested_rewrite', 'ground_truth' or"):
        load("counterfact", path)


def test_counterfact_without_an_edit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cf.json"
    path.write_text("[]")
    with pytest.raises(MembenchError, match=r"cf\.json: holds no edit"):
        load("counterfact", path)


def test_a_conflict_of_one_value_is_refused(tmp_path: Path) -> None:
    """Every right answer would count as naming both."""
    for answers in (["the 38 percent"], ["41 percent", "38"]):
        row = wrong("row['conflict'] = conflict")
        row["conflict"]["new"]["answers"] = answers
        with pytest.raises(MembenchError, match=r"my\.jsonl:2: conflict: '38.*' answers both 'old' and 'new'"):
            load("jsonl", write(tmp_path / "my.jsonl", BANKS, row))
