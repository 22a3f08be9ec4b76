import pytest
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.visits import VisitRow
from tests import rows

@pytest.mark.parametrize("state", list(VisitState))
def test_states(world, session, state):
    v = rows.visit_in(session, world, state)
    assert session.get(VisitRow, v).state is state
