"""Three contexts about harbours, as a file of the user's own."""

from __future__ import annotations

import json
from pathlib import Path


def harbours(path: Path) -> Path:
    """Write three contexts with two questions each (`--data jsonl:PATH`); returns the path."""
    built = (("Vellmar", "Ines Corde", 1931), ("Oxley", "Tam Reed", 1874), ("Brannow", "Ada Quill", 1902))
    lines = [
        {
            "id": name.lower(),
            "context": f"The harbour of {name} was built by {builder} in {year}.",
            "questions": [
                {"question": f"Who built the harbour of {name}?", "answers": [builder]},
                {"question": f"In what year was the harbour of {name} built?", "answers": [str(year)]},
            ],
            "targets": [{"question": f"Who made the harbour of {name}?", "answer": builder}],
        }
        for name, builder, year in built
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path
