"""Pages that exist only in the demo: the mailbox, "sign in as"."""

from __future__ import annotations

from pathlib import Path

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.demo import answering, mailbox as box
from scheduler.demo.people import grouped
from scheduler.demo.replies import Reply
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import access, people_pages
from scheduler.services import accounts
from scheduler.web import signed_in
from scheduler.web.destinations import landing

bp = Blueprint("demo", __name__, url_prefix="/demo")

# The mail's own markup, untrusted: no script, nothing fetched, no form; links open
# outside of the frame. The page around it keeps the strict policy of all pages.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
NEW_WINDOW = '<base target="_blank">'


@bp.get("/people")
@bp.get("/")
def people() -> str:
    """Whom to be."""
    found = people_pages.members(db.session(), now=clock.now())
    return render_template("demo/people.html", groups=grouped(found))


@bp.post("/people/<id:person_id>")
def sign_in_as(person_id: int) -> ResponseReturnValue:
    """Be that person, without a mail."""
    person = access.person_with_roles(db.session(), person_id)
    if person is None or person.blocked:
        raise NotFound
    former = signed_in.current_viewer()
    now = clock.now()
    if former is not None:
        accounts.revoke(db.session(), former.session_id, by=former.actor, now=now)
    secret = accounts.open_session(
        db.session(), person_id, browser=signed_in.browser(), now=now
    )
    signed_in.begin(secret)
    return redirect(landing(signed_in.current_actor()), 303)


@bp.get("/mailbox")
def mailbox() -> str:
    """Every mail that left the service, the newest first."""
    page = box.mailbox_page(_folder(), recipient=request.args.get("to", ""))
    return render_template("demo/mailbox.html", page=page)


@bp.get("/mailbox/news")
def news() -> str:
    """A line for the open mailbox when something has arrived; else nothing."""
    return render_template(
        "demo/_news.html",
        count=box.arrived_since(_folder(), request.args.get("after", "")),
        recipient=request.args.get("to", ""),
    )


@bp.get("/mailbox/<key>")
def mail(key: str) -> str:
    """One mail: as people see it, as text, its calendar part, its source."""
    page = box.mail_page(_folder(), key, view=request.args.get("view", ""))
    return render_template("demo/mail.html", page=page)


@bp.post("/mailbox/<key>/answer")
def answer_mail(key: str) -> ResponseReturnValue:
    """Press a button of the reader's calendar program, which answers by mail."""
    given = answering.answer(
        box.mail(_folder(), key),
        reply=request.form.get("reply", ""),
        client=request.form.get("client", ""),
        comment=request.form.get("comment", ""),
        port=current_app.config["SETTINGS"].smtp_port,
        now=clock.now(),
    )
    flash(_answered(given), "success")
    return redirect(url_for(".mail", key=key), 303)


def _answered(given: Reply) -> str:
    words = {
        Reply.ACCEPT: gettext("The answer is on its way by mail: coming."),
        Reply.TENTATIVE: gettext("The answer is on its way by mail: maybe."),
        Reply.DECLINE: gettext("The answer is on its way by mail: not coming."),
        Reply.OTHER_TIME: gettext("The proposal is on its way by mail: a week later."),
    }
    # Not inside an f-string: Python 3.11 hides those from the catalogue's reader.
    soon = gettext("The service reads it within seconds.")
    return f"{words[given]} {soon}"


@bp.get("/mailbox/<key>/html")
def mail_html(key: str) -> ResponseReturnValue:
    """The HTML part alone, for the frame."""
    html = NEW_WINDOW + box.mail(_folder(), key).html
    answer = Response(html, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = FRAME_POLICY
    return answer


@bp.get("/mailbox/<key>/message.eml")
def mail_source(key: str) -> ResponseReturnValue:
    """The whole mail as a file."""
    return _download(box.mail(_folder(), key).raw, "message/rfc822", "message.eml")


@bp.get("/mailbox/<key>/invite.ics")
def mail_calendar(key: str) -> ResponseReturnValue:
    """The calendar part as a file, as a mail program would hand it on."""
    octets = box.mail(_folder(), key).calendar
    if octets is None:
        raise NotFound
    return _download(octets, "text/calendar; charset=utf-8", "invite.ics")


def _download(octets: bytes, content_type: str, name: str) -> Response:
    answer = Response(octets, content_type=content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _folder() -> Path:
    return Path(current_app.config["SETTINGS"].mailbox_dir)
