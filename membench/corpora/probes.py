"""Probes of contamination: what is asked around a written fact f(e, a) = v, and which of it v must stay out of.

`paraphrase` and `reversed` ask for the fact in other words. Where v must not surface: `near_entity` asks for a of
another entity, `near_attribute` for another attribute of e, `pattern` has the question's pattern with an unrelated
subject; `unrelated` is general knowledge. What no context answers, `unanswerable` included, has the answer NOT_STATED.
"""

from __future__ import annotations

from dataclasses import replace

from membench.corpora.test_suites import common_knowledge
from membench.errors import MembenchError
from membench.values import Context, Dataset, Question
from membench.views import alternate

NEAR = ("near_entity", "near_attribute", "pattern")


PAIRED = ("paraphrase", "reversed", *NEAR)  # their tag `of` names the test question that they belong to


KINDS = (*PAIRED, "unrelated", "unanswerable")


UNRELATED = 3  # questions of general knowledge about each context


PARTED = " | "  # between the accepted forms of a value in a tag


def script(context: Context, number: int, count: int) -> tuple[Question, ...]:
    """What is asked about the number-th context: `count` test questions (0: all), its probes, and general knowledge.

    Questions that probes belong to come first, even beyond `count`. Raises MembenchError for a probe without its pair.
    """
    by_id = {q.id: q for q in context.questions}
    probes = [paired(probe, by_id) for probe in context.probes]
    wanted = dict.fromkeys(p.tags["of"] for p in probes if "of" in p.tags)
    first = [by_id[id_] for id_ in wanted]
    others = alternate([q for q in context.questions if q.id not in wanted], 0 if not count else len(context.questions))
    targets = [*first, *others[: max(0, count - len(first)) if count else None]]
    own = any(probe.tags["kind"] == "unrelated" for probe in probes)
    return (*targets, *probes, *(() if own else general_knowledge(context, number)))


def paired(probe: Question, tests: dict[str, Question]) -> Question:
    """A probe with the value that must not surface as first distractor, before the wrong answers of the same type."""
    kind, of = probe.tags.get("kind", ""), probe.tags.get("of", "")
    if kind in PAIRED and of not in tests:
        raise MembenchError(
            f"probe {probe.id!r} of context {probe.context!r}: its pair {of!r} is no test question there"
        )
    if kind not in NEAR:
        return probe
    value = tests[of].answers[0]
    wrong = [d for d in tests[of].distractors if d not in (*probe.answers, value)]
    return replace(probe, distractors=(value, *wrong), tags={**probe.tags, "leak": value})


def general_knowledge(context: Context, number: int) -> tuple[Question, ...]:
    """Questions that have nothing to do with any context; each context has others, until all are used."""
    items = common_knowledge()
    out = []
    for k in range(UNRELATED):
        item = items[
            (number * UNRELATED + k) * 7 % len(items)
        ]  # 7: not all of one topic; coprime to the number of items
        right, *wrong = item.choices
        tags = {"kind": "unrelated"}
        text = f"{item.prompt} what?"
        out.append(Question(f"{context.id}-unrelated-{k}", text, (right,), context.id, tuple(wrong), tags))
    return tuple(out)


def conflicts(data: Dataset) -> tuple[Context, ...]:
    """The texts whose `revision` contradicts them: the data's own conflicts, else its contexts that have a revision."""
    return data.conflicts or tuple(context for context in data.contexts if context.revision)


def conflict_questions(old: Context) -> tuple[Question, ...]:
    """What is asked about a conflict; the rival value is the only distractor, so that the margin is new against old."""
    assert old.revision is not None
    return tuple(
        replace(q, distractors=(rival(q)[0],), tags={**q.tags, "kind": _conflict_kind(q)})
        for q in old.revision.questions
        if rival(q)
    )


def _conflict_kind(question: Question) -> str:
    kind = question.tags.get("kind", "")
    return kind if kind.startswith("source_") else "conflict"


def rival(question: Question) -> tuple[str, ...]:
    """The forms of the value that a question's gold answer contradicts, by its tag `old` (or `other`, for a source)."""
    text = question.tags.get("old") or question.tags.get("other") or ""
    return tuple(text.split(PARTED)) if text else ()
