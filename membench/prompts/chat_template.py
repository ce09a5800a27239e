"""A model's chat template around one message: the same text every day, one line where it cannot be had."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from membench.errors import MembenchError

TODAY = datetime(2024, 7, 26)  # where a template writes the date: or the same command asked something else every day

_MARK = "\x00"
_TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))
_SWITCHES = ("enable_thinking", "thinking")  # what templates call it
_CLOCK = "strftime_now"
_DIRECTIVES = "aAbBdHIjmMpSuUVwWyYeFDTRh"
_INSTEAD = "use --style plain"


class ServerTemplate:
    """In place of a tokenizer whose template a server knows: the message as it is sent there."""

    chat_template = "the server's own"

    def get_chat_template(self) -> str:
        """A name, as there is no template here."""
        return self.chat_template

    def apply_chat_template(self, messages: Sequence[Mapping[str, Any]], **_: Any) -> str:
        """The text of the one message."""
        return str(messages[0]["content"])


def chat_frame(tokenizer: Any, instruction: str) -> tuple[str, str]:
    """What stands before and behind a question that is asked in a chat, after an instruction.

    Thinking is off where the template has a switch for it; where it opens with thoughts, they are closed at once.
    Raises MembenchError for a template that fails, or that does not write the message once.
    """
    template = getattr(tokenizer, "chat_template", None)
    if not template:
        raise MembenchError(f"this model has no chat template: {_INSTEAD}")
    text = f"{instruction}\n\n{_MARK}"
    times = []
    for content in (text, [{"type": "text", "text": text}]):  # some templates want a message in parts
        rendered = _rendered(tokenizer, content, str(template))
        times.append(rendered.count(_MARK))
        if times[-1] == 1:
            before, after = rendered.split(_MARK)
            return before, after + _closing(after)
    fault = "repeats" if times[0] else "drops"
    raise MembenchError(f"the chat template of this model {fault} the message: {_INSTEAD}")


def _rendered(tokenizer: Any, content: Any, written: str) -> str:
    switches = {name: False for name in _SWITCHES if re.search(rf"\b{name}\b", written)}
    try:
        template = tokenizer.get_chat_template()
        if _CLOCK in template:
            template = _fixed_clock() + template
        return str(
            tokenizer.apply_chat_template(
                [{"role": "user", "content": content}], chat_template=template, tokenize=False,
                add_generation_prompt=True, **switches,
            )
        )  # fmt: skip
    except Exception as error:  # a template is a program, and fails in any way
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise MembenchError(f"the chat template of this model fails ({reason}): {_INSTEAD}") from error


def _fixed_clock() -> str:
    """A macro in place of the clock that transformers gives to templates; functions are not handed on to them."""
    forms = [f"%{sign}{letter}" for letter in _DIRECTIVES for sign in ("", "-")]
    shown = "".join(f"|replace('{form}', '{TODAY.strftime(form)}')" for form in forms)
    return f"{{% macro {_CLOCK}(form) %}}{{{{ form{shown} }}}}{{% endmacro %}}{{{{ '' }}}}"


def _closing(after: str) -> str:
    """What ends the thoughts that a prompt opens."""
    for opening, closing in _TAGS:
        if after.rfind(opening) > after.rfind(closing):
            return ("" if after.endswith("\n") else "\n") + f"\n{closing}\n\n"
    return ""
