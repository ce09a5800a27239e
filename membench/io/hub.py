"""Data sets and models of the Hugging Face hub."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from membench.errors import MembenchError

_cached_only = ContextVar("cached_only", default=False)
_MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.py")  # no pickles


class NotFetched(MembenchError):
    """A model or data set that is not in the local cache, where nothing may be fetched or the hub cannot be reached."""

    def __init__(self, message: str, name: str, kind: str):
        super().__init__(message)
        self.name = name
        self.kind = kind  # "model" or "dataset", as the hub calls them


@contextmanager
def cached_only() -> Iterator[None]:
    """Within it only the local cache is read, as with HF_HUB_OFFLINE; what is not there raises NotFetched."""
    token = _cached_only.set(True)
    try:
        yield
    finally:
        _cached_only.reset(token)


def size_of(name: str, kind: str) -> int | None:
    """Bytes that fetching a model or data set takes, by a query of metadata alone; None where the hub does not tell."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]  # the client's own

    if _offline():
        return None
    api = HfApi()
    ask, patterns = (api.model_info, _MODEL_FILES) if kind == "model" else (api.dataset_info, ("*",))
    try:
        files = ask(name, files_metadata=True, timeout=10).siblings or []
    except (HTTPError, HFValidationError, OSError):  # no network, no such thing, or not for us
        return None
    sizes = [f.size for f in files if any(fnmatch(f.rfilename, pattern) for pattern in patterns)]
    return sum(s for s in sizes if s is not None) if sizes and None not in sizes else None


def hub_rows(name: str, split: str, config: str | None = None) -> Iterable[dict[str, Any]]:
    """The rows of one split of a data set, in stored order. Code that a data set brings is never run.

    With HF_HUB_OFFLINE set, as `--offline` does, only the local cache is read. Raises MembenchError with the command
    that fetches the data set if it cannot be read.
    """
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    offline = _offline()
    try:
        # What `hf download` fetched is a snapshot of the repository; load_dataset finds it only by its path.
        where = snapshot_download(name, repo_type="dataset", local_files_only=True) if offline else name
        rows: Iterable[dict[str, Any]] = load_dataset(where, config, split=split)
    except (DatasetsError, HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        raise _unreadable(f"the {split} split of {name!r}", name, error, offline) from error
    return rows


def hub_folder(name: str, files: Sequence[str]) -> Path:
    """A local folder with these files of a data set, as far as it has them; nothing else of it is fetched.

    Raises MembenchError with the command that fetches the data set if it cannot be read.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    offline = _offline()
    try:
        return Path(snapshot_download(name, repo_type="dataset", allow_patterns=list(files), local_files_only=offline))
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        raise _unreadable(f"the data set {name!r}", name, error, offline) from error


def _offline() -> bool:
    """Read now: the library reads the variable once, when it is imported, which may have been before it was set."""
    return _cached_only.get() or os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _unreadable(what: str, name: str, error: Exception, offline: bool) -> MembenchError:
    reason = "not in the local cache" if offline else str(error).strip().partition("\n")[0]
    said = (
        f"cannot read {what}: {reason}; "
        f"`hf download --repo-type dataset {name}` fetches it, a local file needs no network"
    )
    return NotFetched(said, name, "dataset") if offline else MembenchError(said)


def hub_model(model: str, offline: bool) -> Path:
    """The folder of a model's files in the hub's cache, fetched if need be.

    Raises MembenchError with the command that fetches it if it cannot be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    offline = offline or _offline()
    try:
        return Path(snapshot_download(model, local_files_only=offline, allow_patterns=list(_MODEL_FILES)))
    except LocalEntryNotFoundError as error:
        why = "is not in the hub's cache" if offline else "is not in the hub's cache and the hub cannot be reached"
        raise NotFetched(f"model {model} {why}: run `hf download {model}` with a network", model, "model") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise MembenchError(f"there is neither a folder nor a hub model {model}") from error
    except (HfHubHTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MembenchError(f"cannot fetch model {model}: {reason} (`hf download {model}` fetches it)") from error
