"""The sample's stories: who asked whom for what, and what became of it.

Times are days from the moment at which the sample is loaded, negative in the past.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy.orm import Session

from scheduler.demo.network import Known
from scheduler.domain import fit
from scheduler.domain.actors import Actor
from scheduler.domain.localtime import local
from scheduler.domain.parties import Party
from scheduler.domain.visits import CancelReason, DeclineReason
from scheduler.persistence.queries import seeding, visits
from scheduler.services import answers, fitting, requests, slots, students
from scheduler.services.house import house_of

HALF_AN_HOUR = timedelta(minutes=30)
SOON = timedelta(days=4)
SEASON = timedelta(days=150)
MOST_PROPOSED = 2


class Signed(TypedDict):
    by: Actor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A visit of the sample and everything needed to go on with it."""

    session: Session
    known: Known
    story: Story
    visit_id: int
    slot_id: int
    host: str
    party: Party
    at: datetime

    @property
    def teacher(self) -> Signed:
        return {"by": self.known.actors[self.story.teacher], "now": self.at}

    @property
    def contact(self) -> Signed:
        return {"by": self.known.actors[self.host], "now": self.at}

    def other_slots(self) -> list[int]:
        """The host's slots of the coming months that would do as well."""
        row = visits.visit_to_show(self.session, self.visit_id)
        if row is None:
            return []
        offered = seeding.slots_between(
            self.session,
            [self.known.organisations[self.host]],
            start=self.at + SOON,
            end=self.at + SEASON,
        )
        cases = fitting.cases(
            self.session,
            row.school_class,
            offered,
            organiser_id=row.organiser_id,
            party=row.party,
            besides=row,
        )
        policy = house_of(self.session).policy
        return [
            slot.id
            for slot, case in zip(offered, cases, strict=True)
            if slot.id != row.slot_id
            and not fit.refusals(case, now=self.at, policy=policy)
        ]


Move = Callable[[Scene], None]


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
    then: tuple[tuple[float, Move], ...] = ()
    message: str = ""
    arrangements: str = ""

    @property
    def is_past(self) -> bool:
        return self.slot[1] <= 0


def accept(scene: Scene) -> None:
    answers.accept_visit(scene.session, scene.visit_id, **scene.contact)


def decline(reason: DeclineReason, note: str) -> Move:
    def move(scene: Scene) -> None:
        answers.decline_visit(
            scene.session, scene.visit_id, reason=reason, note=note, **scene.contact
        )

    return move


def propose(scene: Scene) -> None:
    answers.propose_slots(
        scene.session,
        scene.visit_id,
        scene.other_slots()[:MOST_PROPOSED],
        note="Ce jour-là l’atelier est fermé. L’une de ces dates vous irait-elle ?",
        **scene.contact,
    )


def withdraw(scene: Scene) -> None:
    requests.withdraw_visit(scene.session, scene.visit_id, **scene.teacher)


def ask_to_move(scene: Scene) -> None:
    for slot_id in scene.other_slots()[:1]:
        requests.move_visit(scene.session, scene.visit_id, slot_id, **scene.teacher)


def one_less(scene: Scene) -> None:
    party = replace(scene.party, students=scene.party.students - 1, boys=None)
    requests.change_numbers(
        scene.session,
        scene.visit_id,
        party,
        arrangements=scene.story.arrangements,
        **scene.teacher,
    )


def cancel_by_school(reason: CancelReason, note: str) -> Move:
    def move(scene: Scene) -> None:
        requests.cancel_by_school(
            scene.session, scene.visit_id, reason=reason, note=note, **scene.teacher
        )

    return move


def cancel_by_host(reason: CancelReason, note: str) -> Move:
    def move(scene: Scene) -> None:
        answers.cancel_by_host(
            scene.session, scene.visit_id, reason=reason, note=note, **scene.contact
        )

    return move


def half_an_hour_later(scene: Scene) -> None:
    """The host changes the time under a confirmed visit."""
    slot = seeding.slot_of(scene.session, scene.slot_id)
    starts, ends = local(slot.starts_at), local(slot.ends_at)
    times = slots.SlotTimes(
        day=starts.date(),
        starts=(starts + HALF_AN_HOUR).time(),
        ends=(ends + HALF_AN_HOUR).time(),
        place=slot.place,
    )
    slots.change_slot(
        scene.session,
        scene.slot_id,
        times,
        wanted=slots.SeatsWanted(),
        **scene.contact,
    )


def addresses(number: int) -> Move:
    """The teacher gives the addresses of some students."""

    def move(scene: Scene) -> None:
        name = scene.story.class_key.lower()
        students.set_addresses(
            scene.session,
            scene.visit_id,
            [f"eleve{n:02}.{name}@example.org" for n in range(1, number + 1)],
            **scene.teacher,
        )

    return move


STORIES = (
    # ------------------------------------------------------------ over
    Story(
        class_key="C07",
        teacher="T06",
        hosts=("H10", "H26"),
        asked=-75,
        slot=(-30, -2),
        then=((-73, accept), (-72, addresses(9))),
        message="La classe prépare un dossier sur la maintenance d’un centre 5 axes.",
    ),
    Story(
        class_key="C12",
        teacher="T10",
        hosts=("H15", "H22"),
        asked=-80,
        slot=(-30, -2),
        then=((-78, accept),),
    ),
    Story(
        class_key="C14",
        teacher="T13",
        hosts=("H19", "H22", "H16"),
        asked=-78,
        slot=(-30, -2),
        then=((-74, accept), (-73, addresses(6))),
        arrangements="1 élève malentendant",
    ),
    Story(
        class_key="C19",
        teacher="T21",
        hosts=("H23",),
        asked=-70,
        slot=(-30, -2),
        then=((-69, accept),),
        message="Nous venons à pied : le lycée est à 600 mètres.",
    ),
    Story(
        class_key="C04",
        teacher="T03",
        hosts=("H17", "H29", "H14"),
        asked=-79,
        slot=(-30, -2),
        then=((-76, accept),),
    ),
    Story(
        class_key="C15",
        teacher="T14",
        hosts=("H25", "H13"),
        asked=-76,
        slot=(-30, -2),
        then=(
            (-73, accept),
            (
                -40,
                cancel_by_school(
                    CancelReason.TRANSPORT, "Aucun car disponible ce jour-là."
                ),
            ),
        ),
    ),
    Story(
        class_key="C16",
        teacher="T15",
        hosts=("H21", "H24"),
        asked=-60,
        slot=(4, 60),
        then=(
            (-55, accept),
            (-54, addresses(5)),
            (
                -8,
                cancel_by_host(
                    CancelReason.PRODUCTION_RUSH,
                    "Deux commandes urgentes : toute l’équipe est prise.",
                ),
            ),
        ),
    ),
    # ------------------------------------------------------------ said no
    Story(
        class_key="C05",
        teacher="T04",
        hosts=("H30", "H27"),
        asked=-20,
        slot=(25, 90),
        then=(
            (
                -17,
                decline(
                    DeclineReason.NO_STAFF,
                    "Notre accompagnatrice est en congé jusqu’en février.",
                ),
            ),
        ),
    ),
    Story(
        class_key="C06",
        teacher="T05",
        hosts=("H05", "H27"),
        asked=-80,
        slot=(10, 120),
    ),
    Story(
        class_key="C01",
        teacher="T01",
        hosts=("H09", "H16"),
        asked=-25,
        slot=(10, 90),
        then=((-22, withdraw),),
    ),
    # ------------------------------------------------------------ on its way
    Story(
        class_key="C20",
        teacher="T22",
        hosts=("H30",),
        asked=-45,
        slot=(2, 30),
        then=((-43, accept), (-42, addresses(12))),
        message="Premier des quatre groupes de 13.",
    ),
    Story(
        class_key="C18",
        teacher="T18",
        hosts=("H29", "H19"),
        asked=-40,
        slot=(6, 50),
        then=((-38, accept), (-3, one_less), (-3, addresses(8))),
        message="Le groupe aimerait rencontrer des femmes techniciennes.",
    ),
    Story(
        class_key="C02",
        teacher="T01",
        hosts=("H12",),
        asked=-21,
        slot=(8, 80),
        then=((-18, accept), (-9, half_an_hour_later)),
        arrangements="1 fauteuil roulant",
    ),
    Story(
        class_key="C17",
        teacher="T17",
        hosts=("H24", "H25"),
        asked=-30,
        slot=(12, 90),
        then=((-26, accept), (-25, addresses(4)), (-2, ask_to_move)),
    ),
    Story(
        class_key="C10",
        teacher="T08",
        hosts=("H08", "H16"),
        asked=-12,
        slot=(8, 90),
        then=((-11, addresses(3)),),
    ),
    Story(
        class_key="C15",
        teacher="T14",
        hosts=("H20",),
        asked=-5,
        slot=(20, 100),
        message="Douze étudiants volontaires, très curieux de vos tableaux de bord.",
    ),
    # ------------------------------------------------------------ waiting
    Story(
        class_key="C03",
        teacher="T02",
        hosts=("H13", "H15", "H10"),
        asked=-9,
        slot=(18, 110),
        then=((-6, propose),),
        message="Le groupe travaille sur l’écoconception d’une pièce moulée.",
    ),
    Story(
        class_key="C04",
        teacher="T03",
        hosts=("H14", "H22"),
        asked=-9,
        slot=(22, 110),
        message="Trois élèves apprennent le français : des mots simples les aideront.",
        arrangements="3 élèves allophones",
    ),
    Story(
        class_key="C12",
        teacher="T11",
        hosts=("H22", "H15"),
        asked=-3,
        slot=(24, 110),
        message="Nous venons en deux demi-groupes, l’autre moitié visite votre voisin.",
    ),
    Story(
        class_key="C08",
        teacher="T07",
        hosts=("H23", "H13"),
        asked=-1,
        slot=(28, 120),
        message="Un car commun avec la 4e C serait possible.",
    ),
    Story(
        class_key="C11",
        teacher="T10",
        hosts=("H18", "H04", "H07"),
        asked=-2,
        slot=(30, 120),
        then=((-0.03, accept), (-0.02, addresses(3))),
    ),
    Story(
        class_key="C19",
        teacher="T21",
        hosts=("H23", "H12"),
        asked=-0.01,
        slot=(28, 120),
        message="Deuxième visite : cette fois les ateliers de l’après-midi.",
    ),
)
