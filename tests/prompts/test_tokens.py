"""Texts tokenised apart are the tokens of the whole text, whatever a tokenizer puts before and behind a text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from membench.api import Recall
from membench.model.llm import LLM
from membench.prompts.prompt import Renderer

CONTEXT, QUESTION = "The Otter Inn serves 140 guests a day.", "Who keeps Brannock?"
BYTES = [f"<0x{i:02X}>" for i in range(256)]


def spaced_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """Of SentencePiece's kind: spaces are `▁`, and one stands before every text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    strip = decoders.Strip(" ", 1, 0)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), strip])
    text = Renderer("plain").segments([], "")[0]
    alphabet = sorted(set(text) | {"▁"} - {"\n"})
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=["<unk>", "<s>", "</s>", *BYTES], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(text.split("\n"), trainer)
    if kind == "normalizer":
        tokenizer.pre_tokenizer = None
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    elif kind == "first":
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")  # type: ignore[no-untyped-call]


@pytest.fixture(params=["normalizer", "first", "always"])
def spaced(request: pytest.FixtureRequest, tmp_path: Path) -> LLM:
    tokenizer = spaced_tokenizer(request.param)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return LLM.load(tmp_path, name="spaced")


def test_a_prompt_in_segments_has_the_tokens_of_its_text(spaced: LLM) -> None:
    segments = spaced.segment_ids([CONTEXT], QUESTION)
    whole = spaced.tokenizer(spaced.prompt([CONTEXT], QUESTION)).input_ids
    assert [i for segment in segments for i in segment] == whole
    assert whole[0] == 1


def test_so_has_what_follows_a_prompt(spaced: LLM) -> None:
    prompt = spaced.prompt([CONTEXT], QUESTION)
    for answer in ("Edda Marsh", "140", "Überall", "维尔马港"):
        reply = spaced.renderer.answer(answer)
        before = [i for segment in spaced.segment_ids([CONTEXT], QUESTION) for i in segment]
        assert [*before, *spaced.ids(reply)] == spaced.tokenizer(prompt + reply).input_ids


def test_a_raw_prompt_has_the_tokens_of_its_text(spaced: LLM) -> None:
    assert spaced.first_ids(CONTEXT) == spaced.tokenizer(CONTEXT).input_ids


@pytest.mark.parametrize(
    ("written", "opening"),
    [("$A", ()), ("$A </s>", ()), ("<s> $A", (0,)), ("<s> $A </s>", (0,)), ("<s> <s> $A", (0, 0))],
)
def test_a_prompt_opens_with_what_opens_a_sequence_and_nothing_that_ends_one(
    tiny: Path, tmp_path: Path, written: str, opening: tuple[int, ...]
) -> None:
    folder = shutil.copytree(tiny, tmp_path / "own")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    marks = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<s>", "</s>")]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=written, special_tokens=marks)
    tokenizer.save_pretrained(folder)
    model = LLM.load(folder)
    assert model.bos == opening
    first = model.segment_ids([], QUESTION)[0]
    assert tuple(first[: len(opening)]) == opening
    assert not {0, 1} & set(first[len(opening) :])
    assert model.answer(Recall(), [QUESTION])


def test_a_chat_template_that_opens_the_sequence_itself_opens_it_once(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "own")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer.chat_template = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<answer>"
    tokenizer.save_pretrained(folder)
    first = LLM.load(folder, style="chat").segment_ids(["A text."], QUESTION)[0]
    assert (first[0], first.count(0)) == (0, 1)
    plain = LLM.load(folder).segment_ids(["A text."], QUESTION)[0]
    assert (plain[0], plain.count(0)) == (0, 1)


# GPT-2's way to split a text leaves the last newline to the next word, Llama 3's takes it to the word before.
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@pytest.mark.parametrize("pattern", [GPT2, LLAMA3], ids=["gpt2", "llama3"])
@pytest.mark.parametrize("text", [CONTEXT, "no full stop at its end", "Ende?!", "最后"])
def test_a_chat_in_segments_has_the_tokens_of_its_text_however_newlines_are_split(pattern: str, text: str) -> None:
    inner = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    material = [Renderer("plain").segments([], "")[0], "a.\n\nb.\n\nc\n\nd\n\n"] * 3
    inner.train_from_iterator(
        material, trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner)  # type: ignore[no-untyped-call]
    tokenizer.chat_template = "{% for m in messages %}[user]\n{{ m.content }}[end]\n{% endfor %}[model]"
    segments = Renderer("chat", tokenizer).segments([text, CONTEXT], QUESTION)
    assert (
        "".join(segments)
        == f"[user]\nAnswer the question in a few words.\n\n{text}\n\n{CONTEXT}\n\n{QUESTION}[end]\n[model]"
    )
    apart = [i for segment in segments for i in tokenizer(segment, add_special_tokens=False).input_ids]
    assert apart == tokenizer("".join(segments), add_special_tokens=False).input_ids
