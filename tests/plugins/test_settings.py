from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le

from membench.api import lent
from membench.errors import MembenchError
from membench.plugins import registry, settings
from membench.settings import types as setting_types


@dataclass(frozen=True)
class Knobs:
    llm: Missing = lent()  # type: ignore[name-defined]  # noqa: F821  (a type for checkers only, as in Method)
    lr: float = 1e-3
    steps: int = 3
    merge: bool = False
    name: str = "x"
    limit: int | None = None
    note: str | None = "n"
    sizes: tuple[int, ...] = (1, 2)
    span: tuple[int, float] = (0, 1.0)
    loss: Literal["ce", "kl", 0] = "ce"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise MembenchError(f"setting steps must be at least 1, got {self.steps}")


@dataclass(frozen=True)
class More(Knobs):
    extra: int = 0


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("lr", "5e-4", 5e-4),
        ("lr", "1", 1.0),
        ("steps", " 12 ", 12),
        ("merge", "Yes", True),
        ("merge", "0", False),
        ("name", "a=b.c", "a=b.c"),
        ("limit", "none", None),
        ("limit", "4", 4),
        ("note", "none", None),
        ("note", "4", "4"),
        ("sizes", "3,4, 5", (3, 4, 5)),
        ("sizes", "", ()),
        ("span", "3,4", (3, 4.0)),
        ("loss", "kl", "kl"),
        ("loss", "0", 0),
        ("extra", "7", 7),
    ],
)
def test_text_becomes_the_fields_type(key: str, text: str, value: object) -> None:
    built = getattr(settings.build(More, {key: text}), key)
    assert built == value
    assert type(built) is type(value)


@pytest.mark.parametrize(
    ("key", "text", "wanted"),
    [
        ("lr", "fast", "a float"),
        ("lr", "nan", "a float"),
        ("steps", "1.5", "an int"),
        ("steps", "", "an int"),
        ("merge", "maybe", "true or false"),
        ("limit", "x", "an int or none"),
        ("sizes", "1,b", "a comma-separated list"),
        ("span", "1", "a comma-separated list"),
        ("loss", "l2", "one of ce, kl, 0"),
    ],
)
def test_wrong_type_says_what_is_wanted(key: str, text: str, wanted: str) -> None:
    with pytest.raises(MembenchError) as caught:
        settings.build(Knobs, {key: text}, name="selfparam")
    assert str(caught.value) == f"setting {key} of selfparam wants {wanted}, got {text!r}"


def test_what_is_lent_is_no_setting() -> None:
    assert "llm" not in settings.types_of(Knobs)
    with pytest.raises(MembenchError, match="unknown setting 'llm'"):
        settings.build(Knobs, {"llm": "x"})
    assert settings.build(Knobs, {"lr": "1"}, llm="the model").llm == "the model"


def test_the_plugins_own_check_speaks() -> None:
    with pytest.raises(MembenchError, match="at least 1, got 0"):
        settings.build(Knobs, {"steps": "0"})


def test_split_gives_a_key_to_all_that_have_it() -> None:
    chosen = {"ft-c": Knobs, "more": More}
    given = ["lr=1", "more.steps=2", "extra=3", "ft_c.steps=9", "name=a=b"]
    assert settings.split(given, chosen) == {
        "ft-c": {"lr": "1", "steps": "9", "name": "a=b"},
        "more": {"lr": "1", "steps": "2", "extra": "3", "name": "a=b"},
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("lrr=1", "unknown setting 'lrr' of method selfparam: did you mean 'lr'?"),
        ("selfparam.stepz=1", "unknown setting 'stepz' of method selfparam: did you mean 'steps'?"),
        ("bm25.k=1", "setting 'bm25.k' is for a method that does not run: running selfparam"),
        ("lr", "setting 'lr' has no value: write lr=VALUE"),
    ],
)
def test_split_refuses(given: str, message: str) -> None:
    with pytest.raises(MembenchError) as caught:
        settings.split([given], {"selfparam": Knobs})
    assert str(caught.value) == message


@dataclass(frozen=True)
class Ranged(Knobs):
    rate: Annotated[float, Gt(0), Le(1)] = 0.5
    most: Annotated[int, Ge(0)] | None = None
    order: Literal["score", "written"] = "score"

    def __post_init__(self) -> None:
        setting_types.check(self)


@pytest.mark.parametrize(
    ("key", "text", "value", "wanted"),
    [
        ("rate", "0", 0.0, "more than 0 and at most 1"),
        ("rate", "1.5", 1.5, "more than 0 and at most 1"),
        ("rate", "inf", float("inf"), "a float"),
        ("rate", "nan", float("nan"), "a float"),
        ("most", "-1", -1, "0 or more or none"),
        ("order", "best", "best", "one of score, written"),
    ],
)
def test_a_range_holds_for_typed_text_and_for_python(key: str, text: str, value: Any, wanted: str) -> None:
    with pytest.raises(MembenchError) as typed:
        settings.build(Ranged, {key: text}, name="own")
    assert str(typed.value) == f"setting {key} of own wants {wanted}, got {text!r}"
    with pytest.raises(MembenchError) as direct:
        Ranged(**{key: value})
    assert str(direct.value).endswith(f" wants {wanted}, got {value!r}")


def test_values_given_from_python_stay_as_they_are() -> None:
    assert type(Ranged(rate=1).rate) is int
    assert Ranged(sizes=(4,), most=3) == Ranged(sizes=(4,), most=3)
    with pytest.raises(MembenchError, match="wants an int, got '3'"):
        Ranged(steps="3")  # type: ignore[arg-type]


@pytest.mark.parametrize(("key", "value"), [("k1", -1.0), ("b", 1.5), ("k", 0), ("order", "best"), ("budget", True)])
def test_a_built_in_method_is_judged_when_made_in_python(key: str, value: object) -> None:
    with pytest.raises(MembenchError, match=f"setting {key} of bm25 wants "):
        registry.load("methods", "bm25")(**{key: value})
