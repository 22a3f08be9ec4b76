"""How long a search may last, who watches it, and who may stop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

NODES = 100_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands.

    ``stage`` is ``start``, ``prices``, ``districts``, ``together`` or a level that is
    being proven.
    ``best`` and ``bound`` belong to ``level``; ``objective`` are all levels of the best
    plan of this part. ``done`` of ``steps`` are behind; ``work`` counts solved models.
    """

    stage: str
    part: int
    parts: int
    best: int
    bound: int | None
    level: str = ""
    objective: Mapping[str, int] = field(default_factory=dict)
    done: int = 0
    steps: int = 0
    work: int = 0


def _nobody(_progress: Progress) -> None:
    return None


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Limits:
    """``nodes`` holds for each solve, so that a result can be computed again.

    ``seconds_left`` may end any solve early, and so may ``stop``: it is asked often,
    from the thread that searches, and the best plan so far is what comes out.
    """

    nodes: int = NODES
    seconds_left: Callable[[], float] | None = None
    seed: int = 0
    tell: Callable[[Progress], None] = _nobody
    stop: Callable[[], bool] = _never

    def left(self) -> float:
        """Seconds; infinite where only work is limited, none after a stop."""
        if self.stop():
            return 0.0
        return float("inf") if self.seconds_left is None else self.seconds_left()

    @property
    def are_over(self) -> bool:
        return self.left() <= 0
