"""Outside the demo none of its pages exist."""

from __future__ import annotations

import pytest


def test_no_route_of_the_demo_exists(app):
    assert [
        rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/demo")
    ] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/demo/"),
        ("GET", "/demo/people"),
        ("POST", "/demo/people/1"),
        ("GET", "/demo/mailbox"),
        ("GET", "/demo/mailbox/1.M1P1Q1.x/html"),
    ],
)
def test_no_address_of_the_demo_answers(client, world, method, path):
    assert client.open(path, method=method).status_code == 404


def test_no_page_speaks_of_the_demo(client, world):
    for path in ("/", "/sign-in", "/sign-in/sent"):
        assert "/demo" not in client.get(path).text
