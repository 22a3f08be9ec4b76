"""The student room."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("student", __name__)
