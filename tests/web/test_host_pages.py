"""The host room's pages: they open for their own company and for nobody else."""

import pytest

from scheduler.domain.visits import VisitState
from tests import rows


def addresses(world, visit):
    return [
        "/host/",
        "/host/visits",
        "/host/visits?show=past",
        "/host/offers",
        "/host/offers/new",
        "/host/limits",
        f"/host/offers/{world.offer}",
        f"/host/offers/{world.offer}/edit",
        f"/host/offers/{world.offer}/slots",
        f"/host/offers/{world.offer}/slots?month=2026-12",
        f"/host/offers/{world.offer}/slots?month=nonsense",
        f"/host/offers/{world.offer}/slots/new",
        f"/host/offers/{world.offer}/slots/weekly",
        f"/host/slots/{world.slots[0]}",
        f"/host/slots/{world.slots[0]}/edit",
        f"/host/visits/{visit}",
    ]


@pytest.mark.parametrize("state", list(VisitState))
def test_every_page_opens_whatever_the_visit_is_at(session, world, signed_in, state):
    visit = rows.visit_in(session, world, state)
    browser = signed_in("contact")

    answers = {
        address: browser.get(address).status_code for address in addresses(world, visit)
    }

    assert set(answers.values()) == {200}, answers
