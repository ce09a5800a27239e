"""The generator of invented entities: what it promises, checked on 500 contexts."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter

import pytest

from membench.api import Context, Dataset
from membench.corpora.world_kinds import KINDS, WORDS, variants
from membench.corpora.world_names import accepted, clashes
from membench.errors import MembenchError
from membench.plugins import registry
from membench.text.mentions import normalise

pytestmark = pytest.mark.long


def load(argument: str, limit: int, held_out: int = 0) -> Dataset:
    data: Dataset = registry.load("data", "worlds")().load(argument, limit, held_out)
    return data


@pytest.fixture(scope="module")
def contexts() -> tuple[Context, ...]:
    return load("", 500).contexts


def name_of(context: Context) -> str:
    """What the test questions of a context have in common with its passage and with no question about its neighbour."""
    near = next(q for q in context.probes if q.tags["kind"] == "near_entity")
    test = next(q for q in context.questions if q.id == near.tags["of"])
    ours, theirs = test.text.split(), near.text.split()
    differ = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    return " ".join(ours[differ[0] : differ[-1] + 1]).rstrip("?.,")


def masked(context: Context) -> str:
    text = context.text.replace(name_of(context), "E")
    for value in sorted((q.answers[0] for q in context.questions), key=len, reverse=True):
        text = re.sub(rf"\b{value}\b", "V", text, flags=re.IGNORECASE)
    return text


def test_pinned() -> None:
    data = load("", 20)
    digest = hashlib.sha256(repr(data).encode()).hexdigest()
    assert data.contexts[0].text.startswith(
        "Many cookbooks have a page on Nordan casserole. Nordan casserole is purple"
    )
    assert digest[:16] == "02e052cd7a3e110a", "the generated data changed: results on worlds are no longer comparable"


def test_smaller_limit_is_a_prefix() -> None:
    large, small = load("7", 12, 3), load("7", 5, 4)
    assert small.contexts == large.contexts[:5]
    assert small.held_out == large.contexts[5:9]
    assert [c.id for c in large.held_out] == ["w7-12", "w7-13", "w7-14"]
    assert (large.name, load("", 1).name) == ("worlds:7", "worlds")
    assert load("", 3).contexts == load("0", 3).contexts
    assert load("7", 1).contexts[0].text != load("8", 1).contexts[0].text


@pytest.mark.parametrize("seed", ["x", "-1", "1.5", "²", " 3"])
def test_seed_must_be_a_whole_number(seed: str) -> None:
    with pytest.raises(MembenchError, match="whole number"):
        load(seed, 1)


def test_vocabulary_has_disjoint_families() -> None:
    assert len(KINDS) >= 8
    for kind in KINDS:
        assert len(kind.attributes) >= 11
        targets = [normalise(t) for a in kind.attributes for t in a.targets]
        tests = [normalise(t) for a in kind.attributes for t in a.tests]
        assert len(set(targets)) == len(targets)
        assert len(set(tests)) == len(tests)
        assert not set(targets) & set(tests)
        for a in kind.attributes:
            assert min(len(set(a.statements)) - 3, len(a.targets) - 2, len(a.tests) - 1) >= 1, (kind.key, a.key)
            assert all("{e}" in s and s.count("{v}") == 1 for s in a.statements), (kind.key, a.key)
            assert all("{e}" in q and "{v}" not in q and q.endswith("?") for q in (*a.targets, *a.tests))
            assert all(not s.endswith(".") for s in a.statements)


def test_word_lists_are_long_enough_for_distractors() -> None:
    for key in {a.base for kind in KINDS for a in kind.attributes} & set(WORDS):
        assert len(set(WORDS[key])) == len(WORDS[key]) >= 7, key


def test_variants_expand_every_choice() -> None:
    assert variants("a [b|c] d") == ["a b d", "a c d"]
    assert variants("in [the year|] {v}") == ["in the year {v}", "in {v}"]


def test_numbers_without_unit_count_and_clash() -> None:
    assert accepted("640 metres") == ("640 metres", "640")
    assert accepted("Belcor Trust") == ("Belcor Trust",)
    assert clashes("19 percent", ["1949"])
    assert not clashes("38 percent", ["1949", "64 percent"])


def test_passages_state_their_facts(contexts: tuple[Context, ...]) -> None:
    for context in contexts:
        assert 6 <= len(context.questions) <= 10
        assert 50 <= len(context.text.split()) <= 110
        sentences = re.split(r"(?<=\.) ", context.text)
        assert len(sentences) == len(context.questions) + 1
        for sentence, question in zip(sentences[1:], context.questions, strict=True):
            assert question.answers[0].casefold() in sentence.casefold()
            assert sentence[0] == sentence[0].upper()
            assert not re.search(r"\ba [aeiou]|\{|\[|\s\s", sentence, flags=re.IGNORECASE), sentence


def test_names_are_unique_and_never_a_value(contexts: tuple[Context, ...]) -> None:
    names = [name_of(c) for c in contexts]
    assert len(set(names)) == len(names)
    assert not set(WORDS["roots of entities"]) & set(WORDS["roots of values"])
    assert all(not clashes(q.answers[0], [name]) for c, name in zip(contexts, names, strict=True) for q in c.questions)


def test_questions_name_the_entity_and_have_typed_distractors(contexts: tuple[Context, ...]) -> None:
    for context in contexts:
        name, values = name_of(context), [q.answers[0] for q in context.questions]
        assert {q.tags["kind"] for q in context.questions} == {"test"}
        assert [q.id for q in context.questions] == [f"{context.id}-{q.tags['fact']}" for q in context.questions]
        for question in context.questions:
            assert name.casefold() in question.text.casefold()
            assert len(set(question.distractors)) == 4
            for wrong in question.distractors:
                assert not clashes(wrong, values), (question.id, wrong)
                assert [c.isdigit() for c in wrong[:2]] == [c.isdigit() for c in question.answers[0][:2]]


def test_targets_cover_the_rehearsed_half_alone(contexts: tuple[Context, ...]) -> None:
    for context in contexts:
        gold = {q.answers[0]: q.tags["rehearsed"] for q in context.questions}
        written = Counter(pair.answer for pair in context.targets)
        assert written == {value: 2 for value, rehearsed in gold.items() if rehearsed == "yes"}
        assert abs(2 * len(written) - len(gold)) <= 1
    share = Counter(q.tags["rehearsed"] for c in contexts for q in c.questions)
    assert share["yes"] / share.total() == pytest.approx(0.5, abs=0.03)


def test_no_test_question_is_a_target_question(contexts: tuple[Context, ...]) -> None:
    asked, written = set(), set()
    for context in contexts:
        name = name_of(context).casefold()
        for question in (*context.questions, *context.probes):
            asked.add(normalise(question.text.casefold().replace(name, "E")))
        for pair in context.targets:
            assert name in pair.question.casefold()
            written.add(normalise(pair.question.casefold().replace(name, "E")))
    assert len(written) > 200
    assert not asked & written


def test_probes(contexts: tuple[Context, ...]) -> None:
    for context in contexts:
        name = name_of(context).casefold()
        tests = {q.id: q for q in context.questions}
        facts = {q.tags["fact"] for q in context.questions}
        paraphrase, entity, attribute = context.probes
        assert [q.tags["kind"] for q in context.probes] == ["paraphrase", "near_entity", "near_attribute"]
        assert all(tests[q.tags["of"]].tags["rehearsed"] == "yes" for q in context.probes)
        of = tests[paraphrase.tags["of"]]
        assert paraphrase.answers == of.answers
        assert paraphrase.text != of.text
        assert entity.answers == attribute.answers == ("not stated",)
        assert name not in entity.text.casefold()
        assert name in attribute.text.casefold()
        assert attribute.tags["fact"] not in facts
        for probe in (entity, attribute):
            assert probe.tags["leak"] == tests[probe.tags["of"]].answers[0]


def test_revision_changes_two_rehearsed_facts(contexts: tuple[Context, ...]) -> None:
    for context in contexts:
        old = {q.tags["fact"]: q for q in context.questions}
        revision = context.revision
        assert revision is not None
        assert revision.id == f"{context.id}-rev"
        assert len(revision.questions) == 2
        for question in revision.questions:
            before = old[question.tags["fact"]]
            assert before.tags["rehearsed"] == "yes"
            assert (question.text, question.context) == (before.text, revision.id)
            assert question.tags["old"] == before.answers[0] == question.distractors[0]
            assert question.answers[0] != before.answers[0]
            assert question.answers[0] in revision.text
            assert before.answers[0] not in revision.text
        assert {p.answer for p in revision.targets} == {q.answers[0] for q in revision.questions}


def test_ids_are_unique(contexts: tuple[Context, ...]) -> None:
    ids = [q.id for c in contexts for q in (*c.questions, *c.probes, *(c.revision.questions if c.revision else ()))]
    assert len(set(ids)) == len(ids)


def test_500_passages_do_not_repeat_a_pattern(contexts: tuple[Context, ...]) -> None:
    texts = [masked(c) for c in contexts]
    assert len(set(texts)) == 500
    grams = [{tuple(words[i : i + 8]) for i in range(len(words) - 7)} for words in (t.split() for t in texts)]
    shares = [len(a & b) / len(a) for a, b in itertools.permutations(grams, 2)]
    assert max(shares) < 0.5
    assert sum(shares) / len(shares) < 0.01
