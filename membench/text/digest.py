"""A short hash by which a memory knows a text again that it does not keep."""

from __future__ import annotations

import hashlib


def digest(text: str) -> str:
    """16 hex digits of a text's sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
