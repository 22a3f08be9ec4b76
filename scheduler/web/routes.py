"""What an id in an address may be: ``/visits/<id:visit_id>``."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

LARGEST_ID = 2**31 - 1


class Id(IntegerConverter):
    """An id that no column can hold is a page that does not exist, not an error."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=LARGEST_ID)


def init_app(app: Flask) -> None:
    """Make the converter known; before any page is."""
    app.url_map.converters["id"] = Id
