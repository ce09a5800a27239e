"""Data sets of the Hugging Face hub."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from membench.errors import MembenchError


def hub_rows(name: str, split: str, config: str | None = None) -> Iterable[dict[str, Any]]:
    """The rows of one split of a data set, in stored order. Code that a data set brings is never run.

    With HF_HUB_OFFLINE set, as `--offline` does, only the local cache is read. Raises MembenchError with the command
    that fetches the data set if it cannot be read.
    """
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # Read now: the library reads the variable once, when it is imported, which may have been before it was set.
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    try:
        # What `hf download` fetched is a snapshot of the repository; load_dataset finds it only by its path.
        where = snapshot_download(name, repo_type="dataset", local_files_only=True) if offline else name
        rows: Iterable[dict[str, Any]] = load_dataset(where, config, split=split)
    except (DatasetsError, HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = "not in the local cache" if offline else str(error).strip().partition("\n")[0]
        raise MembenchError(
            f"cannot read the {split} split of {name!r}: {reason}; "
            f"`hf download --repo-type dataset {name}` fetches it, a local file needs no network"
        ) from error
    return rows
