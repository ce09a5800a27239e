"""The built-in tasks, pinned: which steps they script, and what their answers amount to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from membench.api import Answer, Ask, Context, Dataset, Episode, Question, Task, Write
from membench.errors import MembenchError
from membench.plugins import registry
from membench.views import alternate

Scorer = Callable[[Question, int, int], float]  # (question, contexts written, position of its own) -> contains


def dataset(count: int, held_out: int = 0) -> Dataset:
    contexts = []
    for k in range(count + held_out):
        tags = ("yes", "yes", "yes", "no", "no", "no")
        questions = tuple(
            Question(f"c{k}-{n}", f"{k} {n}?", (f"a{n}",), f"c{k}", (), {"rehearsed": tag})
            for n, tag in enumerate(tags)
        )
        contexts.append(Context(f"c{k}", f"text {k}", questions))
    return Dataset("made", tuple(contexts[:count]), tuple(contexts[count:]))


def task(name: str, **settings: int) -> Task:
    made: Task = registry.load("tasks", name)(**settings)
    return made


def play(episodes: Iterable[Episode], contains: Scorer) -> Iterator[Answer]:
    """The answers that a runner would record, with made-up scores."""
    for episode in episodes:
        order = [c.id for s in episode.steps if isinstance(s, Write) for c in s.contexts]
        positions = {context: k + 1 for k, context in enumerate(order)}
        written = 0
        for k, step in enumerate(episode.steps):
            if isinstance(step, Write):
                written += len(step.contexts)
            elif isinstance(step, Ask):
                for q in step.questions:
                    at = positions.get(q.context, 0)
                    scores = {"contains": contains(q, written, at)}
                    yield Answer(episode.name, k, written, at, q.id, q.context, q.tags, q.text, q.answers, "", scores)


def holds(_: Question, written: int, position: int) -> float:
    return float(0 < position <= written)


def test_single_asks_about_its_own_context_and_the_next() -> None:
    data = dataset(3)
    episodes = list(task("single").episodes(data, 0))
    assert [e.name for e in episodes] == ["c0", "c1", "c2"]
    assert episodes[2].steps == (Write(data.contexts[2:]), Ask(data.contexts[2].questions + data.contexts[0].questions))
    alone = dataset(1, held_out=1)
    (episode,) = task("single").episodes(alone, 0)
    assert episode.steps[1] == Ask(alone.contexts[0].questions + alone.held_out[0].questions)
    (episode,) = task("single").episodes(dataset(1), 0)
    assert episode.steps[1] == Ask(dataset(1).contexts[0].questions)


def test_batch_is_one_episode_with_held_out_questions() -> None:
    data = dataset(3, held_out=2)
    made = task("batch")
    assert made.held_out == 5
    (episode,) = made.episodes(data, 0)
    write, ask = episode.steps
    assert write == Write(data.contexts)
    assert isinstance(ask, Ask)
    assert len(ask.questions) == 30


@pytest.mark.parametrize("name", ["single", "batch", "sequential"])
def test_a_perfect_memory_scores_one_and_its_placebo_nothing(name: str) -> None:
    made = task(name)
    summary = made.summarise(list(play(made.episodes(dataset(4, held_out=2), 0), holds)))
    assert summary["contains/all"].value == 1.0
    assert summary["contains/rehearsed"].value == summary["contains/unrehearsed"].value == 1.0
    assert summary["contains/placebo"].value == 0.0
    assert len(summary["contains/all"].contexts) == 4


def test_views_part_rehearsed_from_unrehearsed_facts_and_average_over_contexts() -> None:
    def scorer(q: Question, written: int, position: int) -> float:
        return holds(q, written, position) * (q.tags["rehearsed"] == "yes") * (q.context != "c0")

    made = task("single")
    summary = made.summarise(list(play(made.episodes(dataset(4), 0), scorer)))
    assert summary["contains/rehearsed"].value == pytest.approx(0.75)
    assert summary["contains/unrehearsed"].value == 0.0
    assert summary["contains/all"].contexts["c0"] == 0.0
    assert summary["contains/all"].contexts["c1"] == pytest.approx(0.5)


def test_sequential_asks_the_same_alternating_questions_after_each_write() -> None:
    data = dataset(3)
    (episode,) = task("sequential").episodes(data, 0)
    asks = [s for s in episode.steps if isinstance(s, Ask)]
    assert len(asks) == 3
    assert asks[0] == asks[1] == asks[2]
    assert [q.id for q in asks[0].questions[:4]] == ["c0-0", "c0-3", "c0-1", "c0-4"]
    (whole,) = task("sequential", questions=0).episodes(data, 0)
    assert isinstance(whole.steps[1], Ask)
    assert len(whole.steps[1].questions) == 18


def test_sequential_order_comes_from_the_seed_and_its_questions_do_not() -> None:
    data = dataset(6)

    def order(seed: int) -> list[str]:
        (episode,) = task("sequential").episodes(data, seed)
        return [s.contexts[0].id for s in episode.steps if isinstance(s, Write)]

    assert order(0) == [c.id for c in data.contexts]
    assert order(1) == order(1) != order(0)
    assert sorted(order(1)) == sorted(order(0))
    (one,), (other,) = (task("sequential").episodes(data, seed) for seed in (0, 1))
    assert one.steps[1] == other.steps[1]


def test_alternate_fills_up_from_either_kind() -> None:
    questions = dataset(1).contexts[0].questions
    assert [q.id[-1] for q in alternate(questions[:4], 4)] == ["0", "3", "1", "2"]
    untagged = [Question(str(k), "?", ("a",), "c") for k in range(6)]
    assert [q.id for q in alternate(untagged, 4)] == ["0", "1", "2", "3"]


def test_retention_of_a_memory_that_halves_with_age() -> None:
    def halving(_: Question, written: int, position: int) -> float:
        return 0.5 ** (written - position) if 0 < position <= written else 0.0

    made = task("sequential")
    summary = made.summarise(list(play(made.episodes(dataset(4), 0), halving)))
    assert summary["retention:contains"].curve == pytest.approx((1, 0.5, 0.25, 0.125))
    assert summary["retention:contains"].value == pytest.approx(0.125)  # of ages 1 to 3, the oldest quarter is age 3
    matrix = summary["matrix:contains"].curve
    assert len(matrix) == 16
    assert matrix[4:8] == pytest.approx((0.5, 1, 0, 0))
    assert summary["contains/final"].value == pytest.approx((1 + 0.5 + 0.25 + 0.125) / 4)
    assert summary["forgetting:contains"].value == pytest.approx((0.875 + 0.75 + 0.5) / 3)
    assert summary["forward:contains"].value == 0.0
    kept = summary["kept:contains-rehearsed"]
    assert kept.value == pytest.approx((0.125 + 0.25) / 2)
    assert sum(kept.contexts.values()) / len(kept.contexts) == pytest.approx(kept.value)


def test_no_retention_of_what_was_never_held() -> None:
    made = task("sequential")
    summary = made.summarise(list(play(made.episodes(dataset(4), 0), lambda *_: 0.0)))
    assert "retention:contains" not in summary
    assert "kept:contains" not in summary
    assert summary["forgetting:contains"].value == 0.0


def test_sequential_sums_up_the_answers_of_the_yardsticks_too() -> None:
    made = task("sequential")
    gold = [Episode(c.id, (Write((c,)), Ask(c.questions))) for c in dataset(4).contexts]
    summary = made.summarise(list(play(gold, holds)))
    assert summary["contains/all"].value == summary["contains/final"].value == 1.0
    assert not any(name.startswith(("matrix:", "kept:")) for name in summary)


def test_a_negative_number_of_questions_is_refused() -> None:
    with pytest.raises(MembenchError, match="questions of sequential"):
        task("sequential", questions=-1)
