"""One loaded model, lent to requests that follow one another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from membench.errors import MembenchError
from membench.io import weights
from membench.model.llm import LLM
from membench.planning.request import ModelInfo, Request
from membench.running.progress import Reporter


class Models:
    """The model that was asked for last, so that requests which follow one another need not load it anew."""

    def __init__(self) -> None:
        self._key: object = None
        self._llm: LLM | None = None

    def drop(self) -> None:
        """Let it go."""
        self._key = self._llm = None

    def lend(self, model: ModelInfo, request: Request, reporter: Reporter) -> LLM:
        """This model, loaded if it is not the one that is here."""
        key = (replace(model, reader=""), request.device, request.trust_remote_code)  # which is found by loading it
        if self._llm is None or self._llm.spoilt or key != self._key:
            self._llm = None  # before the next one is loaded: no two need to fit
            reporter.say(f"loading {model.name} on {request.device} ({model.dtype}, {model.style} prompt)")
            self._llm = LLM.load(
                model.path, name=model.name, dtype=model.dtype, device=request.device, style=model.style,
                offline=request.offline, trust_remote_code=request.trust_remote_code,
            )  # fmt: skip
            folder = Path(model.path)
            if (weights.weights_hash(folder), weights.files_hash(folder)) != (model.weights_hash, model.files_hash):
                raise MembenchError(f"the files of model {model.name} changed while the run began: run it again")
            if self._llm.slow:
                reporter.say(f"{model.name} is read slowly: by its own forward pass, token by token (docs/models.md)")
            self._key = key
        return self._llm
