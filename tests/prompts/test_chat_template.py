"""A chat template is read the same every day, without thoughts, or refused in one line before the first cell."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from transformers import AutoTokenizer

from membench.cli.app import main
from membench.errors import MembenchError
from membench.model.llm import LLM
from membench.prompts.chat_template import chat_frame

TURNS = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}\n{% endfor %}"
OPEN = f"{TURNS}<|assistant|>\n"
PARTS = "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}<|assistant|>"
REFUSED = {
    "raises": ("{{ raise_exception('this template wants tools') }}", "fails (this template wants tools)"),
    "syntax": ("{% for m in messages %}{{ m.content }", "fails ("),
    "undefined": ("{{ messages[0].content }}{{ tools[0].name }}", "fails (None has no element 0)"),
    "twice": (f"{TURNS}{OPEN}", "repeats the message"),
    "dropped": ("{% for m in messages %}<|{{ m.role }}|>{% endfor %}", "drops the message"),
    "escaped": ("{% for m in messages %}{{ m.content | tojson }}{% endfor %}", "drops the message"),
    "none to choose": ({"rag": OPEN, "tool_use": OPEN}, "fails ("),
    "none": (None, "no chat template"),
}


def frame(llm: LLM, template: object) -> tuple[str, str]:
    tokenizer = copy.deepcopy(llm.tokenizer)
    tokenizer.chat_template = template
    return chat_frame(tokenizer, "Answer.")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_template_that_cannot_be_used_is_refused_in_one_line(llm: LLM, kind: str) -> None:
    template, reason = REFUSED[kind]
    with pytest.raises(MembenchError) as caught:
        frame(llm, template)
    assert reason in str(caught.value)
    assert str(caught.value).endswith(": use --style plain")
    assert "\n" not in str(caught.value)


def test_the_date_is_fixed(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{{ strftime_now('%d %b %Y %H:%M:%S') }}\n" + OPEN
    assert frame(llm, template)[0].startswith("26 Jul 2024 00:00:00\n")
    assert frame(llm, "{{ strftime_now('%A, %-d %B %Y, day %j') }} " + OPEN)[0].startswith(
        "Friday, 26 July 2024, day 208 "
    )
    defined = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}1999{% endif %}" + OPEN
    assert frame(llm, defined)[0].startswith("2024")


@pytest.mark.parametrize("switch", ["enable_thinking", "thinking"])
def test_thinking_is_switched_off(llm: LLM, switch: str) -> None:
    template = (
        OPEN + "{% if " + switch + " is defined and " + switch + " is false %}<quiet>{% else %}<think>\n{% endif %}"
    )
    assert frame(llm, template)[1].endswith("<|assistant|>\n<quiet>")


@pytest.mark.parametrize(
    ("opening", "closing"), [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]")]
)
def test_thoughts_that_a_template_opens_are_closed(llm: LLM, opening: str, closing: str) -> None:
    assert frame(llm, OPEN + opening + "{{ '\\n' }}")[1].endswith(f"<|assistant|>\n{opening}\n\n{closing}\n\n")
    assert frame(llm, OPEN + opening)[1].endswith(f"<|assistant|>\n{opening}\n\n{closing}\n\n")
    assert frame(llm, f"{OPEN}{opening}\n\n{closing}\n\n!")[1].endswith(f"<|assistant|>\n{opening}\n\n{closing}\n\n!")


def test_a_message_may_be_wanted_in_parts(llm: LLM) -> None:
    assert frame(llm, PARTS) == ("Answer.\n\n", "<|assistant|>")


@pytest.mark.parametrize("kind", ["raises", "syntax", "twice", "none"])
def test_a_run_ends_before_the_first_cell(tiny: Path, data_file: Path, tmp_path: Path, kind: str) -> None:
    folder = shutil.copytree(tiny, tmp_path / "own")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = REFUSED[kind][0]
    tokenizer.save_pretrained(folder)
    typed = ["run", "-m", "bm25", "-t", "single", "--data", f"jsonl:{data_file}", "-L", "1", "--style", "chat"]
    done = CliRunner().invoke(main, [*typed, "--model", str(folder), "-o", str(tmp_path / "out")])
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    assert "use --style plain" in " ".join(done.output.split())
