"""Pages are tested on SQLite: what differs between databases is below them."""

from __future__ import annotations

import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url
