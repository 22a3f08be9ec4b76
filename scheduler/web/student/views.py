"""The class's page by its code."""

from __future__ import annotations

from flask import Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler import clock
from scheduler.domain.refusals import LinkSpent, NotFound
from scheduler.extensions import db
from scheduler.services import class_pages
from scheduler.web import signed_in
from scheduler.web.attempt import UNPROCESSABLE
from scheduler.web.student import bp
from scheduler.web.student.forms import CodeForm
from scheduler.web.student.pages import student_page
from scheduler.web.subscribing import CALENDAR

__all__ = ["bp"]


@bp.get("/c")
def enter() -> str:
    """Type the code."""
    return render_template("student/enter.html", form=CodeForm(), unknown=False)


@bp.post("/c")
def open_class() -> ResponseReturnValue:
    """From the typed code to its page."""
    form = CodeForm()
    if not form.validate():
        page = render_template("student/enter.html", form=form, unknown=False)
        return page, UNPROCESSABLE
    return redirect(url_for(".class_page", code=form.code.data), 303)


@bp.get("/c/<code>")
def class_page(code: str) -> ResponseReturnValue:
    """The visit as the class sees it."""
    plain = class_pages.plain_code(code)
    if plain and plain != code:
        return redirect(url_for(".class_page", code=plain), 303)
    found = class_pages.class_page(
        db.session(),
        code,
        machine=signed_in.machine(),
        locale=signed_in.locale(),
        now=clock.now(),
    )
    page = student_page(found, locale=signed_in.locale())
    return render_template("student/class_page.html", page=page)


@bp.get("/c/<code>/visit.ics")
def class_file(code: str) -> ResponseReturnValue:
    """The visit as one file for one's own calendar."""
    octets = class_pages.class_file(
        db.session(),
        code,
        machine=signed_in.machine(),
        occasions=current_app.extensions["compose"],
        now=clock.now(),
    )
    answer = Response(octets, content_type=CALENDAR)
    answer.headers["Content-Disposition"] = 'attachment; filename="visite.ics"'
    return answer


@bp.errorhandler(NotFound)
def unknown(_refusal: NotFound) -> ResponseReturnValue:
    """No such code: type it again. A calendar program only needs the number."""
    if request.endpoint != "student.class_page":
        return Response("", 404, content_type="text/plain; charset=utf-8")
    code = (request.view_args or {}).get("code", "")
    form = CodeForm(code=class_pages.plain_code(code))
    return render_template("student/enter.html", form=form, unknown=True), 404


@bp.errorhandler(LinkSpent)
def over(_refusal: LinkSpent) -> ResponseReturnValue:
    """Fifteen days after the visit its page is gone."""
    return render_template("student/over.html"), 410
