"""The independent checker that may lie beside the project; it shares no code."""

import importlib.util
import os
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from scheduler import paths

FOLDER = Path(
    os.environ.get("MATCHING_SHARED") or paths.ROOT.parent / "shared" / "matching"
)


@cache
def if_beside(name: str) -> ModuleType | None:
    """``generate`` or ``verify``, for tests that mean something without it."""
    file = FOLDER / f"{name}.py"
    if not file.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"shared_{name}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def beside(name: str) -> ModuleType:
    """``generate`` or ``verify``, or a skip that says which file is missing."""
    module = if_beside(name)
    if module is None:
        pytest.skip(
            f"no shared/matching/{name}.py beside this checkout: it is no part of the "
            "project (MATCHING_SHARED may name its folder)"
        )
    return module
