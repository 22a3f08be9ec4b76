"""Files that hold what people receive; see tests/golden/README.md."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "golden"
WRITING = os.environ.get("GOLDEN") == "write"


def check(name: str, made: bytes) -> None:
    """Fail unless the file holds exactly these octets; with GOLDEN=write, write it."""
    file = FOLDER / name
    if WRITING:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made)
    assert file.is_file(), f"no golden file {name}"
    assert made.decode("utf-8") == file.read_bytes().decode("utf-8"), name
