"""A file of the user's own format with probes: fees of banks and credit unions, and two surveys that disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BANKS: dict[str, Any] = {
    "id": "banks",
    "context": "A survey found that 38 percent of banks disclose fees.",
    "questions": [
        {
            "question": "What percentage of banks disclose fees?",
            "answers": ["38 percent", "38"],
            "distractors": ["57 percent", "12 percent", "74 percent"],
        }
    ],
    "targets": [{"question": "What share of the banks makes fees public?", "answer": "38 percent"}],
    "probes": [
        {"kind": "paraphrase", "question": "How many percent of the banks disclose their fees?"},
        {"kind": "reversed", "question": "What do 38 percent of banks disclose?", "answers": ["fees"]},
        {"kind": "near_entity", "question": "What percentage of insurers disclose fees?"},
        {"kind": "near_attribute", "question": "What percentage of banks disclose loan rates?"},
        {"kind": "pattern", "question": "What percentage of credit unions disclose fees?"},
        {"kind": "unanswerable", "question": "Who paid for the survey of banks?"},
    ],
    "conflict": {
        "old": {
            "context": "Survey A of 2019 found that 38 percent of banks disclose fees.",
            "answers": ["38 percent", "38"],
            "question": "According to survey A, what percentage of banks disclose fees?",
        },
        "new": {
            "context": "Survey B of 2023 found that 42 percent of banks disclose fees.",
            "answers": ["42 percent", "42"],
            "question": "According to survey B, what percentage of banks disclose fees?",
        },
        "questions": ["What percentage of banks disclose fees?", "How many percent of the banks disclose their fees?"],
    },
}
LIBRARIES: dict[str, Any] = {
    "id": "libraries",
    "context": "A count found that 64 percent of libraries open on Sunday.",
    "questions": [{"question": "What percentage of libraries open on Sunday?", "answers": ["64 percent", "64"]}],
    "probes": [
        {"kind": "near_attribute", "of": 0, "question": "What percentage of libraries lend films?"},
        {"kind": "pattern", "of": 0, "question": "What percentage of bakeries open on Sunday?", "answer": "21 percent"},
        {"kind": "unrelated", "question": "The capital of France is what?", "answer": "Paris"},
    ],
}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    """The rows as a file; by default the two above."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows or (BANKS, LIBRARIES)))
    return path
