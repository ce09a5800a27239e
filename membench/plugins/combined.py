"""Methods side by side under one name, as in `bm25+selfparam`: a memory each, and what they recall together."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le

from membench.api import Method, identity_of
from membench.errors import MembenchError
from membench.model.room import fitting
from membench.settings.types import types_of
from membench.text.digest import digest
from membench.values import Recall

SIGN = "+"
ONCE = ("adapter", "adapters", "lookup", "prefix", "prefixes")  # of a recall: what one part alone may bring
EXCLUSIVE = (("adapter", "adapters"), ("lookup", "prefix", "prefixes"))

Memories = tuple[Any, ...]


@dataclass(frozen=True)
class Combined(Method[Memories]):
    """The parts' memories in the order of their names; a part's settings are fields PART_KEY of the subclass."""

    version: ClassVar[int] = 2  # 2: what is retained keeps its lines, what one part brings twice stays two
    names: ClassVar[tuple[str, ...]]
    classes: ClassVar[tuple[type[Method[Any]], ...]]

    adapter_scope: Literal["all", "decode"] = "all"  # decode: the model without adapter reads the recalled texts
    retained: Annotated[float, Ge(0), Le(1)] = 1.0  # share of a text's sentences that parts which bring text are given

    def __post_init__(self) -> None:
        _ = self.members  # first, as their own names stand in what they say of a wrong setting
        super().__post_init__()

    @cached_property
    def members(self) -> tuple[Method[Any], ...]:
        """The parts, with their settings and what is lent. Raises MembenchError for a wrong setting."""
        own: dict[str, dict[str, Any]] = {name: {} for name in self.names}
        for f in fields(self):
            if "part" in f.metadata:
                own[f.metadata["part"]][f.metadata["key"]] = getattr(self, f.name)
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.metadata.get("lent")}
        return tuple(cls(**own[name], **given) for name, cls in zip(self.names, self.classes, strict=True))

    @property
    def parts(self) -> tuple[Method[Any], ...]:
        """With all parts."""
        return (self, *(part for member in self.members for part in member.parts))

    @property
    def label(self) -> str | None:
        """The parts' labels, where any has one."""
        labels = [member.label for member in self.members]
        return SIGN.join(one or name for one, name in zip(labels, self.names, strict=True)) if any(labels) else None

    @property
    def forgets(self) -> bool:
        """If all parts do, and hold whole texts: of two texts the retained parts may be the same."""
        return all(member.forgets and not _in_part(member, self.retained) for member in self.members)

    def require_model(self) -> None:
        """As each part does."""
        for member in self.members:
            member.require_model()

    def close(self) -> None:
        """As each part does."""
        for member in self.members:
            member.close()

    def sources(self, offline: bool = False) -> dict[str, Any]:
        """What can change the results of each part."""
        return {"parts": {n: identity_of(m, offline) for n, m in zip(self.names, self.members, strict=True)}}

    def fetches(self) -> tuple[str, ...]:
        """Those of the parts."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.fetches()))

    def write(self, memory: Memories | None, contexts: Sequence[str]) -> Memories | None:
        """Into each part's memory; all None is the empty one."""
        found = []
        for member, old in zip(self.members, memory or (None,) * len(self.members), strict=True):
            texts = self._given(member, contexts)
            found.append(member.write(old, texts) if texts or not contexts else old)
        return None if all(part is None for part in found) else tuple(found)

    def recall(self, memory: Memories | None, questions: Sequence[str]) -> Recall:
        """The texts of all parts, those of the first one first, and what one of them brings beside texts.

        Raises MembenchError where two parts bring what only one can.
        """
        old = memory or (None,) * len(self.members)
        found = [member.recall(part, questions) for member, part in zip(self.members, old, strict=True)]
        brought: dict[str, tuple[str, Any]] = {}
        for name, recall in zip(self.names, found, strict=True):
            for kind in ONCE:
                if (value := getattr(recall, kind)) is None:
                    continue
                rivals = next(pair for pair in EXCLUSIVE if kind in pair)
                if other := next((brought[k][0] for k in rivals if k in brought), None):
                    raise MembenchError(f"{other} and {name} both bring {_SAID[rivals]}, of which a question has one")
                brought[kind] = name, value
        texts = [recall.contexts for recall in found if recall.contexts is not None]
        beside = texts and (len(texts) > 1 or {"prefix", "prefixes"} & brought.keys())
        return Recall(
            contexts=self._fitting(_joined(texts), questions, brought) if beside else (*texts, None)[0],
            notes={key: value for recall in found for key, value in recall.notes.items()},
            adapter_scope=self.adapter_scope,
            **{kind: value for kind, (_, value) in brought.items()},
        )

    def _fitting(
        self, contexts: Sequence[tuple[str, ...]], questions: Sequence[str], brought: Mapping[str, tuple[str, Any]]
    ) -> tuple[tuple[str, ...], ...]:
        """Of the texts before each question, those up to the first that the window has no room for.

        Each part sees to it that its own ones fit.
        """
        if self.llm is None:
            return tuple(contexts)
        _, one = brought.get("prefix", ("", None))
        _, each = brought.get("prefixes", ("", (one,) * len(questions)))
        taken = [prefix.tokens if prefix else 0 for prefix in each]
        return tuple(
            texts[: fitting(self.llm, texts, question, taken=tokens)]
            for texts, question, tokens in zip(contexts, questions, taken, strict=True)
        )

    def forget(self, memory: Memories, contexts: Sequence[str]) -> Memories | None:
        """Out of each part's memory."""
        left = tuple(
            None if old is None else member.forget(old, self._given(member, contexts))
            for member, old in zip(self.members, memory, strict=True)
        )
        return None if all(part is None for part in left) else left

    def deployed_growth(self, memory: Memories | None) -> int | None:
        """What the parts add."""
        from membench.io.memory_codec import nbytes  # torch, which `membench ls` does without

        old = memory or (None,) * len(self.members)
        grown = [(member.deployed_growth(part), part) for member, part in zip(self.members, old, strict=True)]
        return sum(nbytes(part) if growth is None else growth for growth, part in grown)

    def _given(self, member: Method[Any], contexts: Sequence[str]) -> list[str]:
        """What a part is given of these texts: one that brings text what is retained, if anything is, others all."""
        if not _in_part(member, self.retained):
            return list(contexts)
        return [text for text in (retained(text, self.retained) for text in contexts) if text]


_SAID = {EXCLUSIVE[0]: "an adapter", EXCLUSIVE[1]: "keys and values"}


def _in_part(member: Method[Any], share: float) -> bool:
    """Whether a part is given this share of the texts: if it brings text."""
    return share < 1 and member.kind != "weights" and member.brings_text


def retained(text: str, share: float) -> str:
    """This share of a text's sentences, drawn at random and in their order; a larger share has all of a smaller one."""
    from membench.text.sentences import sentences  # the library `regex`, which names are listed without

    every = sentences(text)
    order = random.Random(digest(text)).sample(range(len(every)), len(every))
    chosen = set(order[: round(share * len(every))])
    if len(chosen) == len(every):
        return text
    kept, between, at = "", "", 0
    for i, sentence in enumerate(every):
        start = text.index(sentence, at)
        between += text[at:start]
        at = start + len(sentence)
        if i in chosen:  # lines stay lines, as those of speakers; scripts without spaces stay without
            spaced = between[:1].isspace() or between[-1:].isspace()
            kept += (("\n" if "\n" in between else " " * spaced) if kept else "") + sentence
            between = ""
        else:
            between += sentence
    return kept


def _joined(contexts: Sequence[tuple[tuple[str, ...], ...]]) -> list[tuple[str, ...]]:
    """For each question the texts of all parts, without those that an earlier part brings."""
    first, *others = contexts
    joined = list(first)
    for texts in others:
        joined = [(*old, *(text for text in more if text not in old)) for old, more in zip(joined, texts, strict=True)]
    return joined


@cache
def combined(names: tuple[str, ...], classes: tuple[type[Method[Any]], ...]) -> type[Combined]:
    """The class of these methods side by side. Raises MembenchError for what cannot stand so."""
    whole = SIGN.join(names)
    if len(set(names)) < len(names):
        raise MembenchError(f"method {whole!r} has a part twice: name each once")
    for name, cls in zip(names, classes, strict=True):
        if cls.answer is not Method.answer:
            raise MembenchError(
                f"method {whole!r}: {name} answers in a loop of its own, beside which no other can stand"
            )
    own = [
        (f"{name.replace('-', '_')}_{f.name}", types_of(cls)[f.name], _field(name, f))
        for name, cls in zip(names, classes, strict=True)
        for f in fields(cls)
        if not f.metadata.get("lent")
    ]
    stated = {fact: together(fact, [getattr(cls, fact) or "" for cls in classes]) for fact in ("storage", "licence")}
    kept = {
        "__module__": __name__, "__doc__": f"{' and '.join(names)}, side by side.", "names": names, "classes": classes,
        "kind": together("kind", [cls.kind or "" for cls in classes]) or None, **stated,
        "cannot_forget": "; ".join(
            f"{name}: {cls.cannot_forget}"
            for name, cls in zip(names, classes, strict=True)
            if cls.forgets is Method.forgets and cls.forget is Method.forget
        ) or "of two texts the parts that `retained` leaves may be the same",
    }  # fmt: skip
    return make_dataclass(whole, own, bases=(Combined,), namespace=kept, frozen=True)


def together(fact: str, values: Iterable[str]) -> str:
    """What the parts state of themselves (a fact of membench.plugins.registry.STATED) as the whole states it."""
    said = [value for value in dict.fromkeys(values) if value]
    if fact != "kind":
        return ("; " if fact == "licence" else f" {SIGN} ").join(said)
    kinds = [kind for kind in said if kind != "nothing"] or said[:1]
    return kinds[0] if len(kinds) == 1 else "growing" if kinds else ""


def _field(part: str, f: Any) -> Any:
    """A part's setting as a field of the whole. Raises MembenchError for one that has no default."""
    if f.default is MISSING:
        raise MembenchError(f"setting {f.name} of {part} has no plain default, which a part of a combination needs")
    return field(default=f.default, metadata={"part": part, "key": f.name, "added": f.metadata.get("added", False)})
