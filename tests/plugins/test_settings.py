from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from membench.api import lent
from membench.errors import MembenchError
from membench.plugins import settings


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
