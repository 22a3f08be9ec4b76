"""The sample's stories: who asked whom for what, and what became of it.

They are told in ``scheduler/reference/sample/stories.csv``. Times there are days from
the moment at which the sample is loaded, negative in the past.
"""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.demo.tables import parts, table


@dataclass(frozen=True)
class Step:
    """``move``: one of ``scheduler/demo/moves.py``; ``detail`` is for it."""

    days: float
    move: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Story:
    """A class asks one of the hosts for a slot between two days; ``then`` follows.

    Where none of these hosts has a slot that fits, any other host will do: a demo that
    starts on another day still shows every state.
    """

    class_key: str
    teacher: str
    hosts: tuple[str, ...]
    asked: float
    slot: tuple[int, int]
    then: tuple[Step, ...]
    note: str
    message: str
    arrangements: str

    @property
    def is_past(self) -> bool:
        return self.slot[1] <= 0


def stories() -> list[Story]:
    """All of them, in the order of the table."""
    return [
        Story(
            class_key=line["class_id"],
            teacher=line["teacher_id"],
            hosts=tuple(parts(line["hosts"])),
            asked=float(line["asked"]),
            slot=(int(line["slot_from"]), int(line["slot_until"])),
            then=tuple(_step(words) for words in parts(line["then"])),
            note=line["note_fr"],
            message=line["message_fr"],
            arrangements=line["arrangements_fr"],
        )
        for line in table("stories")
    ]


def _step(words: str) -> Step:
    """Read "-40 cancel_by_school transport"."""
    days, *move = words.split()
    return Step(float(days), *move)
