"""One loaded model, lent to requests that follow one another."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from membench.endpoints.model_client import ModelClient
from membench.engines.engine_llm import EngineLLM
from membench.engines.vllm_engine import VllmEngine
from membench.errors import MembenchError
from membench.io import weights
from membench.model.llm import LLM
from membench.model.text_model import TextModel
from membench.planning.request import Request
from membench.planning.served import Served
from membench.planning.validation import ModelInfo
from membench.running.progress import Reporter
from membench.served.allowance import Allowance
from membench.served.endpoint_model import EndpointModel, Terms
from membench.served.kept_answers import KeptAnswers

CONCURRENCY = 8  # requests at once to an endpoint, where the user does not say


class Models:
    """The model that was asked for last, so that requests which follow one another need not load it anew.

    What endpoints may spend is shared by all requests with the same limit.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._model: TextModel | None = None
        self._allowances: dict[int | None, Allowance] = {}

    def drop(self) -> None:
        """Let it go."""
        self._key = self._model = None

    def lend(self, model: ModelInfo, request: Request, reporter: Reporter) -> TextModel:
        """This model, loaded if it is not the one that is here."""
        known = replace(model, reader="")  # which is found by loading it
        key = (known, _terms(request) if model.served else (request.device, request.trust_remote_code))
        if self._model is None or self._model.spoilt or key != self._key:
            self._model = None  # before the next one is loaded: no two need to fit
            if model.served:
                self._model = self._reached(model, model.served, request, reporter)
            else:
                self._model = _loaded(model, request, reporter)
            self._key = key
        return self._model

    def _reached(self, model: ModelInfo, served: Served, request: Request, reporter: Reporter) -> EndpointModel:
        """The model at its endpoint."""
        allowance = self._allowances.setdefault(request.max_tokens_total, Allowance(request.max_tokens_total))
        kept = KeptAnswers(weights.home() / "answers", fresh=request.overwrite)
        window, concurrency = served.window or sys.maxsize, request.concurrency or CONCURRENCY
        room = f"a window of {window} tokens" if served.window else "a window that nobody tells (--window N)"
        reporter.say(f"asking {model.name} at {served.facts['url']} ({served.api}, {model.style} prompt, {room})")
        trusts = request.trust_remote_code
        terms = Terms(served.digest, window, concurrency, allowance, kept, reporter.say, trusts)
        return EndpointModel(model.name, ModelClient(served.model, served.base_url, served.api), model.style, terms)


def _terms(request: Request) -> tuple[object, ...]:
    """What of a request is the terms on which an endpoint is asked."""
    return request.concurrency, request.max_tokens_total, request.overwrite, request.trust_remote_code


def _loaded(model: ModelInfo, request: Request, reporter: Reporter) -> LLM:
    """The model from its folder, and where an engine decodes for it, that."""
    kind = EngineLLM if model.engine else LLM
    reporter.say(f"loading {model.name} on {request.device} ({model.dtype}, {model.style} prompt)")
    llm = kind.load(
        model.path, name=model.name, dtype=model.dtype, device=request.device, style=model.style,
        offline=request.offline, trust_remote_code=request.trust_remote_code,
    )  # fmt: skip
    folder = Path(model.path)
    if (weights.weights_hash(folder), weights.files_hash(folder)) != (model.weights_hash, model.files_hash):
        raise MembenchError(f"the files of model {model.name} changed while the run began: run it again")
    if llm.slow:
        reporter.say(f"{model.name} is read slowly: by its own forward pass, token by token (docs/models.md)")
    if isinstance(llm, EngineLLM):
        llm.engine = _engine(llm, model, request, reporter)
    return llm


def _engine(llm: LLM, model: ModelInfo, request: Request, reporter: Reporter) -> VllmEngine:
    """vLLM on the same folder. Raises MembenchError where the model needs several GPUs."""
    if len({parameter.device for parameter in llm.model.parameters()}) > 1:
        raise MembenchError(
            f"{model.name} takes several GPUs, and --engine vllm holds it twice on one: take --engine hf"
        )
    return VllmEngine(
        model.path, model.name, model.dtype, llm.window, llm.device, request.trust_remote_code, reporter.say
    )
