"""The parts of a line of the user's own format: answers, targets, probes and a conflict (docs/data.md)."""

from __future__ import annotations

from typing import Any

from membench.corpora.probes import KINDS, NEAR, PAIRED, PARTED
from membench.corpora.world_names import accepted
from membench.errors import MembenchError
from membench.io.user_files import want
from membench.text.mentions import normalise
from membench.values import NOT_STATED, Context, Pair, Question

STATED = ("reversed", "unrelated")  # kinds whose probes bring their own answers


def probes(row: dict[str, Any], context: Context, where: str, first: int = 0) -> tuple[Question, ...]:
    """The probes of a line, numbered from `first` on.

    Raises MembenchError for an unknown kind, and for one whose pair is not there.
    """
    items = want(row, "probes", list, where) if "probes" in row else []
    return tuple(_probe(item, context, first + k, f"{where}: probes[{k}]") for k, item in enumerate(items))


def _probe(item: Any, context: Context, number: int, where: str) -> Question:
    kind, text = want(item, "kind", str, where), want(item, "question", str, where)
    if kind not in KINDS:
        raise MembenchError(f"{where}: unknown kind {kind!r}: choose from {', '.join(KINDS)}")
    tags = {"kind": kind}
    accepted: tuple[str, ...] = NOT_STATED
    wrong: tuple[str, ...] = ()
    if kind in PAIRED:
        pair = _pair(item, context, where)
        tags["of"] = pair.id
        if kind == "paraphrase":
            accepted, wrong = pair.answers, pair.distractors
    if kind in STATED or (kind in NEAR and ("answers" in item or "answer" in item)):
        accepted = answers(item, where)
    return Question(f"{context.id}-probe-{number}", text, accepted, context.id, wrong, tags)


def _pair(item: dict[str, Any], context: Context, where: str) -> Question:
    """The question that a probe belongs to, by its number in the line."""
    of, count = item.get("of", 0 if len(context.questions) == 1 else None), len(context.questions)
    if isinstance(of, bool) or not isinstance(of, int) or not 0 <= of < count:
        found = "is missing" if of is None else f"is {of!r}"
        raise MembenchError(f"{where}: 'of' {found}: want the number of its pair in 'questions', 0 to {count - 1}")
    return context.questions[of]


def conflict(row: dict[str, Any], id_: str, where: str) -> Context:
    """The conflict of a line: the older text, whose revision is the newer one with all that is asked."""
    where = f"{where}: conflict"
    item = want(row, "conflict", dict, where)
    asked = texts(item, "questions", where)
    sides = {name: want(item, name, dict, where) for name in ("old", "new")}
    values = {name: answers(side, f"{where}.{name}") for name, side in sides.items()}
    owner = f"{id_}-conflict-new"
    old, new = values["old"], values["new"]
    forms = [{normalise(form) for text in those for form in accepted(text)} for those in (old, new)]
    if forms[0] & forms[1]:
        shared = min(forms[0] & forms[1])
        raise MembenchError(f"{where}: {shared!r} answers both 'old' and 'new': give the two different values")
    tags = {"kind": "conflict", "old": PARTED.join(old)}
    made = [Question(f"{id_}-conflict-{k}", text, new, owner, (old[0],), tags) for k, text in enumerate(asked)]
    for name, other in (("old", new), ("new", old)):
        if "question" in sides[name]:
            text = want(sides[name], "question", str, f"{where}.{name}")
            tags = {"kind": f"source_{name}", "other": PARTED.join(other)}
            made.append(Question(f"{id_}-conflict-{name}", text, values[name], owner, (other[0],), tags))
    later, earlier = (want(sides[name], "context", str, f"{where}.{name}") for name in ("new", "old"))
    revision = Context(owner, later, tuple(made), targets(sides["new"], f"{where}.new"))
    return Context(f"{id_}-conflict-old", earlier, (), targets(sides["old"], f"{where}.old"), revision=revision)


def targets(row: dict[str, Any], where: str) -> tuple[Pair, ...]:
    """The pairs for the target writer `template`; none where the line has none."""
    pairs = []
    for i, item in enumerate(want(row, "targets", list, where) if "targets" in row else []):
        place = f"{where}: targets[{i}]"
        pairs.append(Pair(want(item, "question", str, place), want(item, "answer", str, place)))
    return tuple(pairs)


def answers(item: dict[str, Any], where: str) -> tuple[str, ...]:
    """The accepted answers: a list `answers`, or one text `answer`."""
    if "answers" in item:
        return texts(item, "answers", where)
    if "answer" in item:
        return (want(item, "answer", str, where),)
    raise MembenchError(f"{where}: 'answers' is missing")


def texts(item: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    """A list of texts, none of them empty."""
    found = want(item, key, list, where)
    for text in found:
        if not isinstance(text, str) or not text.strip():
            raise MembenchError(f"{where}: {key!r} must be a list of texts, none of them empty")
    return tuple(found)
