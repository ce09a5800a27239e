"""The one prompt: its exact text, its segments, and the styles."""

from __future__ import annotations

import copy

import pytest

from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.prompts.prompt import CHAT_INSTRUCTION, EXAMPLES, Renderer

TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}<assistant>"


def test_the_plain_prompt_to_the_letter() -> None:
    head, *rest = Renderer("plain").segments(["First text.", "Second."], "Who?")
    assert rest == ["First text.\n", "Second.\n", "Q: Who?\nA:"]
    assert head.startswith(
        "Brannock is a small lighthouse on the island of Sule. The keeper of Brannock is Edda Marsh. Brannock was "
        "painted green in 1931.\nQ: Who keeps Brannock?\nA: Edda Marsh\nQ: What year saw Brannock painted?\nA: 1931\n\n"
    )
    assert Renderer("plain").answer("Edda Marsh") == " Edda Marsh\n"


def test_twice_repeats_all_that_is_recalled_and_nothing_else() -> None:
    once, again = (Renderer(style).segments(["First text.", "Second."], "Who?") for style in ("plain", "twice"))
    assert again == (once[0], "First text.\n", "Second.\n", "First text.\n", "Second.\n", once[-1])
    assert Renderer("twice").segments([], "Who?") == Renderer("plain").segments([], "Who?")
    assert Renderer("twice").answer("Edda") == Renderer("plain").answer("Edda")
    assert Renderer("twice").digest != Renderer("plain").digest


def test_examples_are_answered_by_their_own_texts_alone() -> None:
    for text, pairs in EXAMPLES:
        for _, answer in pairs:
            assert answer in text
            assert not any(answer in other for other, _ in EXAMPLES if other != text)


def test_the_first_segment_is_the_same_for_all_prompts(llm: LLM) -> None:
    assert llm.segment_ids([], "Who?")[0] == llm.segment_ids(["Text."], "When?")[0]
    joined = [i for segment in llm.segment_ids(["Text."], "When?") for i in segment]
    assert llm.decode(joined) == llm.prompt(["Text."], "When?")


def test_the_chat_prompt_is_the_models_own_template(llm: LLM) -> None:
    tokenizer = copy.deepcopy(llm.tokenizer)
    tokenizer.chat_template = TEMPLATE
    renderer = Renderer("chat", tokenizer)
    prompt = "".join(renderer.segments(["A text."], "Who?"))
    assert prompt == f"<user>{CHAT_INSTRUCTION}\n\nA text.\n\nWho?</user><assistant>"
    assert renderer.answer("Ines") == "Ines\n"
    assert renderer.digest != Renderer("plain").digest


def test_styles_that_cannot_be_had(llm: LLM) -> None:
    with pytest.raises(MembenchError, match="unknown prompt style 'fancy': choose from plain, twice, chat"):
        Renderer("fancy")
    with pytest.raises(MembenchError, match="no chat template: use --style plain"):
        Renderer("chat", llm.tokenizer)


def test_the_digest_covers_the_wording(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Renderer("plain").digest
    assert before == Renderer("plain").digest
    monkeypatch.setattr("membench.prompts.prompt.EXAMPLES", EXAMPLES[:-1])
    assert Renderer("plain").digest != before
