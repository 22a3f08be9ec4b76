"""A fault of ours: a page that says so, and a log that gives no secret away."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from scheduler.extensions import db
from scheduler.services import class_pages


@pytest.fixture
def broken(app, monkeypatch):
    """As in production: a fault becomes a page."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail(*_args, **_given):
        raise RuntimeError("no")

    monkeypatch.setattr(class_pages, "class_page", fail)


@pytest.mark.usefixtures("broken")
def test_a_fault_is_logged_by_the_pages_name_not_by_its_address(client):
    with capture_logs() as logged:
        answer = client.get("/c/7KP2XF")

    assert answer.status_code == 500
    assert [(line["event"], line["page"]) for line in logged] == [
        ("page_failed", "student.class_page")
    ]
    assert "7KP2XF" not in str(logged)


@pytest.mark.usefixtures("app")
def test_an_error_of_the_database_does_not_repeat_what_was_typed(app):
    with app.app_context(), pytest.raises(DBAPIError) as failure:
        db.session.execute(text("select :typed from nowhere"), {"typed": "a secret"})

    assert "a secret" not in str(failure.value)
