"""The one schema of what is stored: a recipe, a result, and each kind of record. Every command reads by it.

Whatever does not fit was written by no run: the cell is damaged, and the message says where. Parts that a later version
may add are let through. pydantic-core is used by itself, as importing all of pydantic takes longer than reading the
results of a hundred cells; and metrics, of which a result has hundreds, are checked by a function each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, ValidationError
from pydantic_core import core_schema as s

SCHEMA = 1
MOST = 1e60  # no number of a run is greater, and squares of variances of such numbers are still finite
_REAL = {int, float}


class Unfit(ValueError):
    """Not what the schema says; the message is "where: what it should be"."""


def _number(value: Any) -> Any:
    """A number as it is; True is none."""
    if type(value) not in _REAL or not -MOST <= value <= MOST:
        raise PydanticCustomError("number", "should be a finite number")
    return value


def _numbers(value: Any) -> Any:
    """Numbers by name, as they are."""
    if type(value) is not dict or not _are_numbers(value.values()):
        raise PydanticCustomError("numbers", "should be finite numbers by name")
    return value


def _metrics(value: Any) -> Any:
    """Metrics by name: each a value, and where it has them contexts (numbers by name), a curve and below (numbers)."""
    if type(value) is not dict:
        raise PydanticCustomError("metrics", "should be metrics by name")
    for name, metric in value.items():
        if not _is_metric(metric):
            raise PydanticCustomError("metrics", "should be metrics by name, {name} is none", {"name": repr(name)[:80]})
    return value


def _is_metric(metric: Any) -> bool:
    if type(metric) is not dict:
        return False
    value: Any = metric.get("value")
    if type(value) not in _REAL:
        return False
    contexts, *others = metric.get("contexts", {}), metric.get("curve", []), metric.get("below", [])
    if type(contexts) is not dict or not all(type(values) is list for values in others):
        return False
    return -MOST <= value <= MOST and all(map(_are_numbers, (contexts.values(), *others)))


def _are_numbers(values: Collection[Any]) -> bool:
    return set(map(type, values)) <= _REAL and -MOST <= sum(values) <= MOST


def _object(needed: Mapping[str, CoreSchema], optional: Mapping[str, CoreSchema] | None = None) -> CoreSchema:
    fields = {name: s.typed_dict_field(schema, required=True) for name, schema in needed.items()}
    fields |= {name: s.typed_dict_field(schema, required=False) for name, schema in (optional or {}).items()}
    return s.typed_dict_schema(fields, extra_behavior="allow", strict=True)


def _list(item: CoreSchema, length: int | None = None) -> CoreSchema:
    return s.list_schema(item, strict=True, min_length=length, max_length=length)


def _by_name(value: CoreSchema) -> CoreSchema:
    return s.dict_schema(NAME, value, strict=True)


NAME = s.str_schema(strict=True, min_length=1)


TEXT = s.str_schema(strict=True)
COUNT = s.int_schema(strict=True, ge=0, le=2**63)
SEED = s.int_schema(strict=True)
NUMBER = s.no_info_plain_validator_function(_number)
NUMBERS = s.no_info_plain_validator_function(_numbers)
TEXTS = _list(TEXT)
SETTINGS = _by_name(s.any_schema())
COUNTS = _by_name(COUNT)
TOKENS = _by_name(NUMBERS)  # role -> kind -> how many


def _or_none(schema: CoreSchema) -> CoreSchema:
    return s.nullable_schema(schema)


METRICS = s.no_info_plain_validator_function(_metrics)
YARDSTICKS = _by_name(METRICS)

RECIPE = _object(
    {
        "task": NAME, "task_settings": SETTINGS, "data": NAME, "data_hash": TEXT, "limit": COUNT, "model": NAME,
        "weights_hash": TEXT, "dtype": NAME, "style": NAME, "prompt_hash": TEXT, "metric_version": COUNT,
        "method": NAME, "method_version": COUNT, "settings": SETTINGS, "seed": SEED,
    },
    {"held_out_hash": _or_none(TEXT), "defaults": SETTINGS, "sources": SETTINGS},
)  # fmt: skip

LEDGER = _object(
    {"parameters": _or_none(COUNT)},
    {
        "write_tokens_per_context": TOKENS, "read_tokens_per_question": TOKENS,
        "prices": _list(NUMBER, 2),
        **dict.fromkeys(
            (
                "write_flops_per_context", "read_flops_per_question", "marginal_bytes_per_context",
                "write_price_per_context", "read_price_per_question",
            ),
            _or_none(NUMBER),
        ),
    },
)  # fmt: skip
CONTROLS = _object({"questions": COUNT, "sizes": COUNTS, "metrics": METRICS})
AUDIT = _object({"leak_rate": NUMBER, "pairs": COUNT, "questions": COUNT, "leaked": TEXTS})
VERSIONS = _object({}, dict.fromkeys(("device", "gpu", "cpu", "machine"), _or_none(TEXT)))

RESULT = _object(
    {
        "schema": s.int_schema(strict=True, ge=1, le=SCHEMA), "id": NAME, "recipe": RECIPE,
        "status": s.literal_schema(["done", "failed", "skipped"]),
        "summary": METRICS, "costs": _by_name(_or_none(NUMBER)),
        "counts": _object(dict.fromkeys(("contexts", "questions", "answered"), COUNT)),
    },
    {
        "yardsticks": _or_none(YARDSTICKS), "overlap": _or_none(NUMBERS), "controls": _or_none(CONTROLS),
        "endpoint": SETTINGS, "ledger": _or_none(LEDGER), "audit": _or_none(AUDIT),
        "versions": _or_none(VERSIONS),
        **dict.fromkeys(("reason", "label", "started", "finished"), _or_none(TEXT)),
        **dict.fromkeys(("records_sha256", "targets_sha256", "rescored_from"), TEXT),
    },
)  # fmt: skip

_STEP = {"type": NAME, "episode": TEXT, "step": COUNT}
_SPENT = {"seconds": NUMBER, "tokens": TOKENS}
_PEAKS = dict.fromkeys(("cell_peak_bytes", "peak_bytes"), _or_none(COUNT)) | {"beside": COUNT}
_CHANGE = _object(
    {**_STEP, **_SPENT, "contexts": TEXTS, "memory": TEXT, "state_bytes": COUNT, "growth_bytes": COUNT}, _PEAKS
)
RECORDS = {
    "answer": _object(
        {
            **_STEP, "written": COUNT, "position": COUNT, "question": TEXT, "context": TEXT,
            "tags": _by_name(TEXT), "text": TEXT, "gold": TEXTS, "answer": TEXT, "scores": NUMBERS,
        },
        {"distractors": TEXTS},
    ),
    "write": _CHANGE,
    "forget": _CHANGE,
    "ask": _object(
        {**_STEP, **_SPENT, "questions": COUNT},
        {**_PEAKS, "read": COUNT, "notes": NUMBERS, "live_bytes": _or_none(COUNT), "contexts": TEXTS},
    ),
    "drift": _object(
        {
            **_STEP, **_SPENT, "texts": _list(_list(NUMBER, 4)),
            "items": _by_name(_list(_list(COUNT, 2))),
        },
        _PEAKS,
    ),
}  # fmt: skip

TARGET = _object({"context": TEXT, "pairs": _list(_object({"question": TEXT, "answer": TEXT}))})

_RECIPE, _RESULT, _YARDSTICKS, _TARGET = (SchemaValidator(schema) for schema in (RECIPE, RESULT, YARDSTICKS, TARGET))
_RECORDS = {kind: SchemaValidator(schema) for kind, schema in RECORDS.items()}


def recipe(value: Any) -> dict[str, Any]:
    """A recipe as it is, if it fits. Raises Unfit."""
    return _fit(_RECIPE, value)


def result(value: Any) -> dict[str, Any]:
    """A result as it is, if it fits. Raises Unfit."""
    found = _fit(_RESULT, value)
    if found["costs"].get("state_bytes") is not None and found["costs"].get("deployed_growth_bytes") is None:
        raise Unfit("costs.deployed_growth_bytes: should be a finite number")
    return found


def yardsticks(value: Any) -> dict[str, Any]:
    """What stands under `yardsticks` in a result, if it fits. Raises Unfit."""
    return _fit(_YARDSTICKS, value)


def record(line: bytes) -> dict[str, Any]:
    """The record on a line. Raises Unfit."""
    value = _json(line)
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _RECORDS:
        raise Unfit(f"type: should be one of {', '.join(_RECORDS)}")
    return _fit(_RECORDS[kind], value)


def target(line: bytes) -> dict[str, Any]:
    """The target sentences of one text, on a line. Raises Unfit."""
    return _fit(_TARGET, _json(line))


def _json(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        raise Unfit("no JSON") from None


def _fit(validator: SchemaValidator, value: Any) -> dict[str, Any]:
    try:
        validator.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise Unfit(f"{where}: {first['msg'].removeprefix('Input ')}") from None
    fitting: dict[str, Any] = value
    return fitting
