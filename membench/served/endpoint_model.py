"""A model behind an OpenAI-compatible endpoint, as text memories are lent it: it answers, and shows no weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, NoReturn, TypeVar

import torch
from annotated_types import Ge

from membench.endpoints import prompt_logprobs
from membench.endpoints.model_client import Continued, ModelClient
from membench.endpoints.prompt_logprobs import NoLikelihoods, Scored
from membench.errors import MembenchError
from membench.model.decoding import Completion, Reading
from membench.model.likelihood import Reference
from membench.model.meter import Meter
from membench.prompts.answer_form import AnswerForm
from membench.prompts.chat_template import ServerTemplate
from membench.prompts.prompt import Renderer
from membench.served import pieces
from membench.served.allowance import Allowance
from membench.served.kept_answers import KeptAnswers
from membench.values import Recall

T = TypeVar("T")
_AHEAD = 4
ROOM = 1.1  # tokens a piece differ by so much from text to text


class NeedsWeights(MembenchError, AttributeError):
    """What was asked for are the model's weights, or what is made with them."""


@dataclass(frozen=True)
class Terms:
    """How an endpoint is asked: `identity` tells its answers from those of others, `window` is in tokens; requests at
    once; what it may spend; where its answers are kept; who is told what the user should know; whether code that comes
    with the encoder of a search may be run.
    """

    identity: str
    window: int
    concurrency: int
    allowance: Allowance
    kept: KeptAnswers
    say: Callable[[str], object] = lambda _: None
    trusts_code: bool = False


@dataclass(frozen=True)
class _KeptReply:
    answer: Continued
    seconds: Annotated[float, Ge(0)]


@dataclass(frozen=True)
class _KeptScore:
    answer: Scored
    seconds: Annotated[float, Ge(0)]


class EndpointModel(AnswerForm):
    """One model by one API. Its tokens are counted as the endpoint counts them, and cut by membench.served.pieces.

    `no_likelihoods` says why candidates have no log-probabilities, once that is known.
    """

    bos: tuple[int, ...] = ()
    parameters: None = None
    is_here = False
    slow = False

    def __init__(self, name: str, client: ModelClient, style: str, terms: Terms):
        self.name = name
        self.client = client
        self.terms = terms
        self.trusts_code = terms.trusts_code
        self.spoilt = False
        self.renderer = Renderer(style, ServerTemplate())
        self.meter = Meter()
        self.no_likelihoods: str | None = None
        self._likelihoods_seen = False
        self._uncounted_told = False
        self._stretch: float | None = None

    def __getattr__(self, name: str) -> NoReturn:
        raise NeedsWeights(f"{self.__dict__.get('name')} is behind an endpoint, which has no {name!r} to show")

    @property
    def window(self) -> int:
        """The longest input in tokens; sys.maxsize where nobody tells."""
        return self.terms.window

    @property
    def ahead(self) -> int:
        """A few times as many questions as are asked at once; 0 where no answer is kept."""
        return _AHEAD * self.terms.concurrency if self.terms.kept.answers else 0

    @property
    def device(self) -> torch.device:
        """Where the encoder of a search stands: here."""
        return torch.device("cpu")

    @property
    def remarks(self) -> dict[str, Any]:
        """What a reader of the answers should know: parts of a request that were left out, and why no likelihoods."""
        found = {"left_out": self.client.refused, "no_likelihoods": self.no_likelihoods}
        return {name: value for name, value in found.items() if value}

    def ids(self, text: str) -> list[int]:
        """Pieces of a text, in place of the tokens that the endpoint makes."""
        return pieces.ids(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of pieces."""
        return pieces.text_of(ids)

    def segment_ids(self, contexts: Sequence[str], question: str) -> list[list[int]]:
        """The prompt as segments of pieces."""
        return [pieces.ids(segment) for segment in self.renderer.segments(contexts, question)]

    def answer(
        self,
        recall: Recall,
        questions: Sequence[str],
        candidates: Sequence[Sequence[str]] | None = None,
        references: Sequence[Reference | None] | None = None,
    ) -> list[Reading]:
        """Answers of at most `max_new_tokens`, several asked at once; likelihoods of candidates where they are to be
        had, and no divergences. Raises NeedsWeights for what is recalled and is no text.
        """
        refuse_but_texts(self.name, recall)
        contexts = recall.contexts or tuple(() for _ in questions)
        prompts = ["".join(self.renderer.segments(*pair)) for pair in zip(contexts, questions, strict=True)]
        replies = self._continued(prompts, self.max_new_tokens, self.stop)
        scores = self._scored(prompts, replies, candidates or [() for _ in prompts])
        return [
            Reading(text := reply.text.strip(), tuple(self.ids(text)), reply.cut, torch.empty(0, 0), logprobs)
            for reply, logprobs in zip(replies, scores, strict=True)
        ]

    def complete(self, prompts: Sequence[str], max_new_tokens: int, stop: str = "\n") -> list[Completion]:
        """Continue raw prompts until `stop` appears; for writers and summarisers, not for answers."""
        replies = self._continued(prompts, max_new_tokens, stop)
        return [Completion(reply.text, tuple(self.ids(reply.text)), reply.cut) for reply in replies]

    def _continued(self, prompts: Sequence[str], max_new_tokens: int, stop: str) -> list[Continued]:
        """How prompts go on; one that stands there twice is asked once."""
        distinct = list(dict.fromkeys(prompts))
        replies = self._each([partial(self._goes_on, prompt, max_new_tokens, stop) for prompt in distinct])
        self.meter.add(read=sum(r.read for r in replies), generated=sum(r.generated for r in replies))
        found = dict(zip(distinct, replies, strict=True))
        return [found[prompt] for prompt in prompts]

    def _goes_on(self, prompt: str, max_new_tokens: int, stop: str) -> tuple[Continued, float]:
        asked = self.client.payload(prompt, max_new_tokens, stop)

        def ask() -> Continued:
            return self._counted(prompt, self.client.goes_on(prompt, max_new_tokens, stop))

        def spent(reply: Continued) -> int:
            self._stretch = max(self._stretch or 0.0, reply.read / len(pieces.ids(prompt)))
            return reply.read + reply.generated

        return self._kept(asked, _KeptReply, lambda: self._most(prompt) + max_new_tokens, ask, spent)

    def _most(self, prompt: str) -> int:
        """Tokens that a prompt will hardly be more of: as many a piece as there ever were, at first one a byte."""
        if self._stretch is None:
            return len(prompt.encode())
        return math.ceil(len(pieces.ids(prompt)) * self._stretch * ROOM)

    def _counted(self, prompt: str, reply: Continued) -> Continued:
        """A reply with its tokens; in pieces where the endpoint does not count them."""
        if reply.read:
            return reply
        if not self._uncounted_told:
            self._uncounted_told = True
            self.terms.say(f"{self.name}: the endpoint does not count tokens; they are counted in pieces of words")
        return replace(reply, read=len(pieces.ids(prompt)), generated=len(pieces.ids(reply.text)))

    def _scored(
        self, prompts: Sequence[str], replies: Sequence[Continued], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[float, ...]]:
        """Nats a token of each candidate of each prompt; () where the endpoint does not give them."""
        wanted = {
            (prompt, self.renderer.answer(text).rstrip("\n")): reply.read
            for prompt, reply, texts in zip(prompts, replies, candidates, strict=True)
            for text in texts
        }
        jobs = [partial(self._score, prompt, candidate, read) for (prompt, candidate), read in wanted.items()]
        found: dict[tuple[str, str], float] = {}
        if jobs and self.no_likelihoods is None:
            first = 0 if self._likelihoods_seen else 1  # the first alone shows whether there are any
            try:
                scores = [*self._each(jobs[:first]), *self._each(jobs[first:])]
            except NoLikelihoods as error:
                self.no_likelihoods = str(error)
                self.terms.say(f"{self.name}: the likelihood columns stay empty: {error}")
            else:
                self._likelihoods_seen = True
                self.meter.add(read=sum(score.read for score in scores))
                means = (sum(score.logprobs) / len(score.logprobs) for score in scores)
                found = dict(zip(wanted, means, strict=True))
        if not found:
            return [() for _ in prompts]
        ends = [[self.renderer.answer(text).rstrip("\n") for text in texts] for texts in candidates]
        return [tuple(found[prompt, end] for end in own) for prompt, own in zip(prompts, ends, strict=True)]

    def _score(self, prompt: str, candidate: str, read: int) -> tuple[Scored, float]:
        asked = prompt_logprobs.payload(self.client, prompt, candidate)
        ask = partial(prompt_logprobs.scored, self.client, prompt, candidate, read)
        return self._kept(
            asked, _KeptScore, lambda: self._most(prompt + candidate) + 1, ask, lambda score: score.read + 1
        )

    def _kept(
        self, asked: dict[str, Any], form: Any, most: Callable[[], int], ask: Callable[[], T], spent: Callable[[T], int]
    ) -> tuple[T, float]:
        """What was kept of a request in this form, or else what comes now; and the seconds of one that was kept."""
        key = [self.terms.identity, asked]
        if kept := self.terms.kept.get(key, form):
            return kept.answer, kept.seconds
        with self.terms.allowance.taking(most) as spend:
            started = time.perf_counter()
            answer = ask()
            spend(spent(answer))
        self.terms.kept.put(key, form(answer, round(time.perf_counter() - started, 3)))
        return answer, 0.0

    def _each(self, jobs: Sequence[Callable[[], tuple[T, float]]]) -> list[T]:
        """What the jobs return, done several at once. Where one fails, those on their way end, and are kept.

        What was kept costs the seconds that it took, shared by as many as these would be at once.
        """
        with ThreadPoolExecutor(self.terms.concurrency) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                done = [future.result() for future in futures]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        self.meter.charge(sum(seconds for _, seconds in done) / max(1, min(self.terms.concurrency, len(jobs))))
        return [value for value, _ in done]


def refuse_but_texts(name: str, recall: Recall) -> None:
    """Raise NeedsWeights for a recall that brings more than texts."""
    for part in ("adapter", "adapters", "prefix", "prefixes", "lookup"):
        if getattr(recall, part) is not None:
            raise NeedsWeights(f"{name} is behind an endpoint, which takes texts alone and no {part}")
