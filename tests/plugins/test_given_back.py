"""A slip in a plug-in's code is one line that names it, and never another answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import random
from typing import Any

import pytest

from membench.api import Method, Task
from membench.errors import MembenchError
from membench.plugins import settings
from membench.plugins.described import facts_of, facts_of_task, fetched_by, needs_weights, refuse_odd_task
from membench.plugins.given_back import sound_answers, sound_data, sound_episodes, sound_recall, sound_task
from membench.running.text_only import refuse_unplayable
from membench.values import Ask, Context, Dataset, Episode, MetricSpec, Pair, Question, Recall, Write

QUESTION = Question("q", "Who built it?", ("Ines Corde",), "c")
CONTEXT = Context("c", "Ines Corde built it.", (QUESTION,))
FIVE: dict[str, Any] = {"text": 5}
WRITE: Any = "write"
DATA = Dataset("harbours", (CONTEXT,))
SEVEN: dict[str, Any] = {"title": 7}
LATER = replace(CONTEXT, revision=replace(CONTEXT, id="d", **FIVE))


@dataclass(frozen=True)
class Plain(Method[Any]):
    """Keeps nothing."""

    def write(self, memory: Any, contexts: Any) -> Any:
        return None

    def recall(self, memory: Any, questions: Any) -> Recall:
        return Recall()


@dataclass(frozen=True)
class Script(Task):
    """Asks nothing."""

    def episodes(self, data: Dataset, seed: int) -> Any:
        return ()

    def summarise(self, answers: Any) -> Any:
        return {}


def broken(*_: object) -> Any:
    raise SystemExit("broke")


def with_(cls: type[Any], **attributes: Any) -> Any:
    return type("Odd", (cls,), attributes)


def recalled(*contexts: Any) -> Recall:
    return Recall(contexts=contexts)


def question(**changed: Any) -> Dataset:
    return replace(DATA, contexts=(replace(CONTEXT, questions=(replace(QUESTION, **changed),)),))


def made(**changed: Any) -> Dataset:
    return replace(DATA, **changed)


def targets(*pairs: Any) -> Dataset:
    return replace(DATA, contexts=(replace(CONTEXT, targets=pairs),))


def turning(names: list[int]) -> list[list[Episode]]:
    """The same episodes, in another order each time one takes them."""
    both = [Episode(str(name), ()) for name in names]
    return [both, both[::-1], both]


SLIPS: dict[str, tuple[Callable[[], object], str]] = {
    "label raises": (lambda: facts_of("odd", with_(Plain, label=property(broken))(), True), "description failed with"),
    "label": (lambda: facts_of("odd", with_(Plain, label=7)(), True), "its label is of type int: make it str"),
    "label half": (lambda: facts_of("odd", with_(Plain, label="\ud800")(), True), "description failed with Unicode"),
    "version": (lambda: facts_of("odd", with_(Plain, version="1")(), True), "its version is of type str: make it int"),
    "sources": (lambda: facts_of("odd", with_(Plain, sources=lambda *_: None)(), True), "is of type NoneType"),
    "sources set": (lambda: facts_of("odd", with_(Plain, sources=lambda *_: {"a": {1}})(), True), "not JSON"),
    "settings": (lambda: settings.build(with_(Plain, __post_init__=broken), {}, name="odd"), "settings failed with"),
    "kind": (lambda: facts_of("odd", with_(Plain, kind="all")(), True), "its kind is 'all': make it one of nothing"),
    "storage": (lambda: facts_of("odd", with_(Plain, storage=7)(), True), "its storage is of type int: make it str"),
    "parts": (lambda: needs_weights("odd", with_(Plain, parts=property(broken))()), "parts failed with SystemExit"),
    "fetches": (lambda: fetched_by("odd", with_(Plain, fetches=lambda _: [3])()), "has 3: make it the name of a model"),
    "form": (lambda: facts_of_task("odd", with_(Script, form=5)()), "its form is 5: make it (tokens"),
    "form raises": (lambda: facts_of_task("odd", with_(Script, form=property(broken))()), "description failed with"),
    "provenance": (lambda: facts_of_task("odd", with_(Script, provenance=lambda _: None)()), "failed with TypeError"),
    "metrics": (lambda: facts_of_task("odd", with_(Script, metrics="f1")()), "its metrics are of type str: make it a"),
    "metrics count": (lambda: facts_of_task("odd", with_(Script, metrics=3)()), "its metrics are of type int: make"),
    "metrics names": (lambda: facts_of_task("odd", with_(Script, metrics=["f1"])()), "metrics have str: make it"),
    "metric": (lambda: facts_of_task("odd", with_(Script, metrics=[MetricSpec("x", **SEVEN)])()), "title of its"),
    "digits": (lambda: facts_of_task("odd", with_(Script, metrics=[MetricSpec("x", digits=-1)])()), "0 to 6 digits"),
    "metrics raise": (lambda: facts_of_task("odd", with_(Script, metrics=property(broken))()), "description failed"),
    "limit": (lambda: refuse_odd_task("odd", with_(Script, default_limit="9")()), "its default_limit is '9': make it"),
    "loads": (lambda: refuse_odd_task("odd", with_(Script, loads="all")()), "its loads is 'all': make it one of"),
    "probed": (lambda: refuse_odd_task("odd", with_(Script, probed="yes")()), "its probed is 'yes': make it True or"),
    "chance": (lambda: sound_episodes(lambda: [Episode(str(random()), ())], "odd"), "other episodes, or another order"),
    "a set": (lambda: sound_episodes(turning([1, 2]).pop, "odd"), "sort what comes out of a set"),
    "over": (lambda: sound_task(None, "odd"), "over() returned NoneType"),
    "half name": (lambda: sound_episodes(lambda: [Episode("\ud800", ())], "odd"), "a name with half of a character"),
    "no episode": (lambda: sound_episodes(tuple, "odd"), "has no episode"),
    "episode": (lambda: sound_episodes(lambda: [1], "odd"), "has int: make it Episode"),
    "step": (lambda: sound_episodes(lambda: [Episode("e", (WRITE,))], "odd"), "has str as step 1 of 'e'"),
    "texts": (lambda: sound_episodes(lambda: [Episode("e", (Ask(()), Write((WRITE,))))], "odd"), "as step 2 of 'e'"),
    "load": (lambda: sound_data([1], "odd"), "load() returned list, not Dataset"),
    "text": (lambda: sound_data(replace(DATA, contexts=(replace(CONTEXT, **FIVE),)), "odd"), "of type int"),
    "half": (lambda: sound_data(replace(DATA, contexts=(replace(CONTEXT, text="\udc00"),)), "odd"), "lone surrogate"),
    "no answer": (lambda: sound_data(question(answers=()), "odd"), "question 'q', no tuple of answers"),
    "one answer": (lambda: sound_data(question(answers="Ines"), "odd"), "question 'q', no tuple of answers"),
    "name": (lambda: sound_data(made(name=5), "odd"), "load() has a name of type int"),
    "a loop": (lambda: sound_data(made(contexts=iter(())), "odd"), "has contexts as tuple_iterator"),
    "tags": (lambda: sound_data(question(tags=["kind"]), "odd"), "question 'q', tags of type list"),
    "tag": (lambda: sound_data(question(tags={"kind": 3}), "odd"), "question 'q', a tag of type int"),
    "target": (lambda: sound_data(targets(("Who?", "Ines")), "odd"), "in context 'c' tuple as a target"),
    "half target": (lambda: sound_data(targets(Pair("Who?", "\ud800")), "odd"), "a target with half of a character"),
    "later": (lambda: sound_data(replace(DATA, conflicts=(LATER,)), "odd"), "in context 'd' something of type int"),
    "elsewhere": (lambda: sound_data(question(context="d"), "odd"), "question 'q' of 'd': name the context"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused_before_anything_is_played(slip: str) -> None:
    call, said = SLIPS[slip]
    with pytest.raises(MembenchError) as caught:
        call()
    assert said in str(caught.value)
    assert "odd" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sound_recall(None, 1), "recall returned NoneType, not Recall"),
        (lambda: sound_recall(Recall(contexts=((), ())), 1), "contexts for 2 of 1 questions"),
        (lambda: sound_recall(recalled("Ines Corde"), 1), "brought str as the contexts of a question"),
        (lambda: sound_recall(recalled((3,)), 1), "a context of type int"),
        (lambda: sound_recall(Recall(contexts=(("\udfff",),)), 1), "lone surrogate"),
        (lambda: sound_recall(Recall(adapters=(None, None)), 1), "adapters for 2 of 1 questions"),
        (lambda: sound_recall(Recall(adapter_scope=WRITE), 1), "adapter_scope 'write': make it all or decode"),
        (lambda: sound_answers(None, 1), "as NoneType: make it a list"),
        (lambda: sound_answers("Ines", 4), "as str: make it a list"),
        (lambda: sound_answers(["Ines", None], 2), "an answer of type NoneType"),
    ],
)
def test_what_a_call_gives_back_is_looked_at(call: Callable[[], object], said: str) -> None:
    with pytest.raises(MembenchError) as caught:
        call()
    assert said in str(caught.value)


def test_what_is_sound_comes_back() -> None:
    recall = Recall(contexts=(("The emoji 😀",), ()))
    assert sound_recall(recall, 2) is recall
    assert sound_answers(("a", "北京"), 2) == ["a", "北京"]
    assert sound_data(DATA, "odd") is DATA
    assert facts_of("plain", Plain(), True) == {"method_version": 1, "settings": {}, "defaults": {}, "sources": {}}


def test_a_method_that_fails_where_the_model_is_lent_is_one_line() -> None:
    def fussy(self: Any) -> None:
        if self.llm is not None:
            raise KeyError("no such layer")

    cell: Any = type("Cell", (), {"method_name": "odd", "method": with_(Plain, __post_init__=fussy)()})
    model: Any = object()
    with pytest.raises(MembenchError, match=r"method odd: its require_model\(\) failed with KeyError: 'no such layer'"):
        refuse_unplayable([cell], model)
