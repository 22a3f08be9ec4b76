"""Refusal → status and page: the only error table."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, NotFound as PageNotFound

from scheduler.domain.refusals import Refusal
from scheduler.extensions import db

STATUS = {"not_found": 404, "link_spent": 410, "too_many_tries": 429}
CONFLICT = 409
FIRST_ERROR = 400
FIRST_BUG = 500
PAGES = {400, 404, 410, 413, 429}


def init_app(app: Flask) -> None:
    """Attach the handlers."""
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(CSRFError, forged)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(500, broken)


def refused(refusal: Refusal) -> ResponseReturnValue:
    """A refusal that no form has shown."""
    status = STATUS.get(refusal.code, CONFLICT)
    page = status if status in PAGES else CONFLICT
    return render_template(f"errors/{page}.html", refusal=refusal), status


def forged(_error: CSRFError) -> ResponseReturnValue:
    """The page was open too long, or the form came from elsewhere."""
    return render_template("errors/csrf.html"), 400


def http_error(error: HTTPException) -> ResponseReturnValue:
    """Werkzeug's own errors, in our words."""
    code = error.code or 500
    if code < FIRST_ERROR:
        return error.get_response()
    if code in {403, 405}:
        code = PageNotFound.code
    if code not in PAGES:
        code = FIRST_ERROR if code < FIRST_BUG else FIRST_BUG
    return render_template(f"errors/{code}.html", refusal=None), code


def broken(_error: Exception) -> ResponseReturnValue:
    """A bug: already logged; the page promises that nothing half-done is stored."""
    db.session.rollback()
    return render_template("errors/500.html", path=request.path), 500
