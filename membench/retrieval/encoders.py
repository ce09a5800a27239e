"""Encoders of questions and passages as vectors whose inner product says how near they are.

One is named by an alias, a local folder or a hub id of a sentence-transformers model, which encodes both; or by two DPR
checkpoints, QUESTION_ENCODER,CTX_ENCODER (Karpukhin et al., 2020).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from membench.checkpoints.checks import refuse_damaged
from membench.checkpoints.foreign_code import refuse_foreign_code
from membench.errors import MembenchError
from membench.io import weights
from membench.io.model_files import folder_state
from membench.model.meter import Meter
from membench.text.sentences import is_ended
from membench.text.words import count_words

Vectors = NDArray[np.float32]

DPR_TOKENS = 512  # of a text that a DPR encoder reads; what follows is cut
TITLE_WORDS = 12  # of a title at most


def names(setting: str) -> tuple[str, ...]:
    """The models that a setting `encoder` names, one or two. Raises MembenchError if it names none or more."""
    found = tuple(part.strip() for part in setting.split(","))
    if not all(found) or len(found) > 2:
        raise MembenchError(
            f"setting encoder wants one sentence-transformers model, or QUESTION_ENCODER,CTX_ENCODER; got {setting!r}"
        )
    for name in found:
        if name in weights.ALIASES:
            raise MembenchError(f"{name} is a language model and no encoder: take {', '.join(weights.ENCODERS)}")
    return found


def label(setting: str) -> str:
    """How tables name an encoder: without folders and owners."""
    return ", ".join(Path(name).name for name in names(setting))


def identity(setting: str, offline: bool) -> list[tuple[str, str]]:
    """What identifies each model of an encoder: a hash of its weights, and one of the other files of its folder.

    Raises MembenchError if a model is neither an alias nor can be found, and for files that are cut off or not there.
    """
    return [_identity(name, offline) for name in names(setting)]


def _identity(name: str, offline: bool) -> tuple[str, str]:
    known = weights.ENCODERS.get(name)
    if known and not weights.fetched(name):  # what will be fetched, if it is what was packed
        return known.sha256, known.files_sha256
    folder = weights.resolve(name, offline)
    refuse_damaged(folder, name)
    found = weights.file_sha256(folder / "model.safetensors") if known else weights.weights_hash(folder)
    return found, weights.files_hash(folder)


class Encoder(ABC):
    """A loaded encoder. It reads one text at a time, so that no vector depends on what else is encoded."""

    @abstractmethod
    def read(self, text: str, question: bool) -> tuple[Vectors, int]:
        """The vector [width] of a question or a passage, and the tokens read."""

    def vectors(self, texts: Sequence[str], meter: Meter, question: bool = False) -> Vectors:
        """The vectors [texts, width] of at least one text; its tokens are charged to the role `encoder`."""
        rows = []
        with meter.role("encoder"):
            for text in texts:
                vector, tokens = self.read(text, question)
                meter.add(read=tokens)
                rows.append(vector)
        return np.stack(rows).astype(np.float32, copy=False)


class SentenceEncoder(Encoder):
    """One sentence-transformers model for both, with its own pooling, prompts, length limit and normalisation."""

    def __init__(self, folder: Path, device: str, trust_remote_code: bool = False):
        from sentence_transformers import SentenceTransformer

        self.model: Any = SentenceTransformer(
            str(folder), device=device, local_files_only=True, trust_remote_code=trust_remote_code,
            model_kwargs={"use_safetensors": True, "dtype": "float32"},
        )  # fmt: skip

    def read(self, text: str, question: bool) -> tuple[Vectors, int]:
        """As the model's own settings treat queries and documents."""
        encode = self.model.encode_query if question else self.model.encode_document
        tokens = self.model.preprocess([text])["input_ids"].shape[1]
        return encode(text, show_progress_bar=False), int(tokens)


class DprEncoder(Encoder):
    """A question and a passage encoder: the output of [CLS], not normalised."""

    def __init__(self, question: Path, passage: Path, device: str, trust_remote_code: bool = False):
        from transformers import AutoTokenizer, DPRContextEncoder, DPRQuestionEncoder

        self.device = device
        self.tokenizers: list[Any] = [
            AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code) for folder in (question, passage)
        ]
        loaded: list[Any] = [
            kind.from_pretrained(folder, dtype="float32", use_safetensors=True)
            for kind, folder in ((DPRQuestionEncoder, question), (DPRContextEncoder, passage))
        ]
        self.models = [model.eval().to(device) for model in loaded]

    def read(self, text: str, question: bool) -> tuple[Vectors, int]:
        """A passage with a title is read as [CLS] title [SEP] passage [SEP], in one segment, as in training."""
        import torch

        parts = [text] if question else [part for part in titled(text) if part]
        side = 0 if question else 1
        ids = self.tokenizers[side](*parts, truncation=True, max_length=DPR_TOKENS, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            output = self.models[side](ids.to(self.device)).pooler_output[0]
        return output.float().cpu().numpy(), int(ids.shape[1])


def titled(text: str) -> tuple[str, str]:
    """A passage's title, "" if it has none, and its text.

    A title is a first line of a few words that nothing ends as it ends sentences and clauses, with more lines behind
    it. In scripts without spaces each character is a word.
    """
    line, _, rest = text.partition("\n")
    title = line.strip()
    if rest.strip() and 0 < count_words(title) <= TITLE_WORDS and not is_ended(title):
        return title, rest.strip()
    return "", text


def load(setting: str, device: str, trust_remote_code: bool = False) -> Encoder:
    """The encoder that a setting names, loaded once in a process for as long as none of its files changes.

    Raises MembenchError if a model cannot be fetched, is none of the kind, or brings code that is not trusted.
    """
    folders = tuple(weights.resolve(name) for name in names(setting))
    for name, folder in zip(names(setting), folders, strict=True) if not trust_remote_code else ():
        refuse_foreign_code(folder, name)
    return _loaded(setting, folders, device, trust_remote_code, tuple(map(folder_state, folders)))


@lru_cache(maxsize=2)
def _loaded(setting: str, folders: Sequence[Path], device: str, trust_remote_code: bool, state: object) -> Encoder:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        if len(folders) == 1:
            return SentenceEncoder(folders[0], device, trust_remote_code)
        return DprEncoder(folders[0], folders[1], device, trust_remote_code)
    except Exception as error:  # transformers and tokenizers raise anything, also bare Exception
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise MembenchError(f"cannot load encoder {setting}: {reason}") from error
