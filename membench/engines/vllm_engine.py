"""vLLM as it decodes for membench: greedily, with its prefix cache, and with one adapter a prompt."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from membench.engines.adapter_files import AdapterFile, AdapterFiles, rank_of
from membench.errors import MembenchError
from membench.values import Adapter

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # for which it has kernels
LEAST_TOKENS = 4096  # of its window, where the model's is no smaller
SHARE = 0.5  # of a GPU's free memory; the rest is for what the own reader reads and trains
ROOM = 1.2  # times its weights that it needs at least
ADAPTERS = 4  # in one of its batches
_GIB = 2**30


@dataclass(frozen=True)
class Room:
    """What vLLM is started with: adapters of at most `rank` (0: none at all), and a window of `tokens`."""

    rank: int
    tokens: int

    def covers(self, other: Room) -> bool:
        """Whether what needs the other's room has it here."""
        return self.rank >= other.rank and self.tokens >= other.tokens


class VllmEngine:
    """A second copy of a model, inside vLLM. It starts when first asked, and anew for what it has no room for.

    `path` is the model's folder, `dtype` as vLLM calls it, `window` in tokens, `say` tells the user.
    """

    def __init__(
        self, path: Path | str, name: str, dtype: str, window: int, device: torch.device, trusts_code: bool,
        say: Callable[[str], object],
    ):  # fmt: skip
        self._path, self._name, self._window, self._device, self._say = path, name, window, device, say
        self._options = {"dtype": dtype, "trust_remote_code": trusts_code}
        self._files = AdapterFiles()
        self._room = Room(0, min(window, LEAST_TOKENS))
        self._llm: Any = None

    def decoded(
        self, prompts: Sequence[Sequence[int]], adapters: Sequence[Adapter | None], most: int, stop: str,
        ends: Sequence[int],
    ) -> list[tuple[tuple[int, ...], bool]]:  # fmt: skip
        """For each prompt (tokens) and its adapter at most `most` tokens, and whether one of `ends` or `stop`, a text,
        ended them; what ended them may be among them. Raises MembenchError where vLLM cannot.
        """
        longest = max(map(len, prompts)) + most
        self._start(self._least(max(map(rank_of, adapters)), longest))
        files = self._files.of(adapters)
        vllm = _imported()
        params = vllm.SamplingParams(temperature=0.0, max_tokens=most, stop=[stop], stop_token_ids=list(ends))
        asked = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        worn = [_request(files[id(adapter)]) if adapter is not None else None for adapter in adapters]
        try:
            outputs = self._llm.generate(asked, params, use_tqdm=False, lora_request=worn if any(worn) else None)
        except (ValueError, RuntimeError) as error:
            raise MembenchError(f"vLLM cannot read {self._name}: {_line(error)}: take --engine hf") from error
        return [(tuple(o.outputs[0].token_ids), o.outputs[0].finish_reason == "stop") for o in outputs]

    def _start(self, needed: Room) -> None:
        if self._llm is not None and self._room.covers(needed):
            return
        rank = max(self._room.rank, needed.rank)
        self._room = Room(rank, max(self._room.tokens, needed.tokens))
        self._llm = None  # before the next one starts: no two have room
        gc.collect()
        lora = {"enable_lora": True, "max_lora_rank": rank, "max_loras": ADAPTERS} if rank else {}
        with_adapters = f", adapters of rank {rank}" if rank else ""
        self._say(f"starting vLLM beside the own reader (a window of {self._room.tokens} tokens{with_adapters})")
        options = {**self._options, **lora, **self._share()}
        try:
            self._llm = _imported().LLM(
                model=str(self._path), max_model_len=self._room.tokens, enable_prefix_caching=True, seed=0, **options
            )
        except (ValueError, RuntimeError, NotImplementedError) as error:
            raise MembenchError(f"vLLM cannot load {self._name}: {_line(error)}: take --engine hf") from error

    def _least(self, rank: int, tokens: int) -> Room:
        """The least room for adapters of a rank and a prompt with its answer, in few enough sizes."""
        window = LEAST_TOKENS
        while window < tokens:
            window *= 2
        return Room(next(r for r in RANKS if r >= rank) if rank else 0, min(window, self._window))

    def _share(self) -> dict[str, float]:
        """The share of the GPU that it may take. Raises MembenchError if it has no room for a copy of the weights."""
        if self._device.type != "cuda":
            return {}
        torch.cuda.empty_cache()
        free, total = torch.cuda.mem_get_info(self._device)
        weights = sum(file.stat().st_size for file in Path(self._path).glob("*.safetensors"))
        if weights * ROOM > free * SHARE:
            raise MembenchError(
                f"--engine vllm holds a second copy of {self._name} ({weights / _GIB:.1f} GiB) beside the own reader, "
                f"which leaves it {free * SHARE / _GIB:.1f} GiB of the GPU: take --engine hf, or a smaller model"
            )
        return {"gpu_memory_utilization": round(SHARE * free / total, 3)}


def _request(file: AdapterFile) -> Any:
    from vllm.lora.request import LoRARequest

    return LoRARequest(lora_name=file.name, lora_int_id=file.number, lora_path=str(file.folder))


def _imported() -> Any:
    import vllm

    return vllm


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
