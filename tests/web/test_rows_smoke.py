import pytest
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.visits import VisitRow
from tests import rows

@pytest.mark.parametrize("state", list(VisitState))
def test_states(world, session, state, client):
    v = rows.visit_in(session, world, state)
    code = session.get(VisitRow, v).class_code
    got = client.get(f"/c/{code}")
    assert got.status_code == 200, got.text
    got = client.get(f"/c/{code}", headers={"Accept-Language": "en"})
    assert got.status_code == 200, got.text
    assert client.get(f"/c/{code}/visit.ics").status_code in (200, 404)
