"""The one place where parts meet."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, request
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from scheduler import clock, paths
from scheduler.demo import views as demo_views
from scheduler.extensions import babel, csrf, db, migrate
from scheduler.mail.compose import Compose, Imprint
from scheduler.mail.mailboxes import ImapMailbox, Mailbox, Maildir
from scheduler.mail.smtp import SmtpPost
from scheduler.persistence.engine import absolute, engine_options, prepare
from scheduler.persistence.sealed import Seal
from scheduler.services import links, unsubscribing
from scheduler.services.house import House
from scheduler.web import filters, headers, refusals, routes, signed_in, site
from scheduler.web.account import views as account
from scheduler.web.answer import views as answer
from scheduler.web.auth import views as auth
from scheduler.web.coordinator import views as coordinator
from scheduler.web.feeds import views as feeds
from scheduler.web.host import answer as host_answer, views as host
from scheduler.web.public import views as public
from scheduler.web.student import views as student
from scheduler.web.teacher import views as teacher
from scheduler.web.unsubscribe import views as unsubscribe

if TYPE_CHECKING:
    from config import Settings

log = structlog.get_logger()

LARGEST_FORM = 1024 * 1024
LINK_PATHS = {
    "sign_in": "/sign-in/",
    "answer_visit": "/h/",
    links.ANSWER_PAGE: "/r/",
}


class Pages(Flask):
    """Flask, but a fault is logged with its page's name, not with its address.

    The addresses of personal links, class pages and feeds are secrets.
    """

    def log_exception(self, exc_info: Any) -> None:
        log.error("page_failed", page=request.endpoint, exc_info=exc_info)


def create_app(settings: Settings) -> Flask:
    """The application for these settings; nothing is read from elsewhere."""
    app = Pages(
        "scheduler",
        template_folder=str(paths.TEMPLATES),
        static_folder=str(paths.STATIC),
    )
    _configure(app, settings)
    _bind(app, settings)
    routes.init_app(app)
    headers.init_app(app)
    filters.init_app(app)
    refusals.init_app(app)
    site.init_app(
        app,
        site.Site(
            name=settings.mail_from_name,
            campus_name=settings.campus_name,
            support_email=settings.support_email,
            demo=settings.demo,
        ),
    )
    rooms = (
        public,
        auth,
        account,
        teacher,
        host,
        host_answer,
        student,
        answer,
        coordinator,
    )
    for room in (*rooms, feeds, unsubscribe):
        app.register_blueprint(room.bp)
    if settings.demo:
        app.register_blueprint(demo_views.bp)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    url = absolute(settings.database_url)
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url),
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        SESSION_COOKIE_NAME="visits",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE="fr",
        BABEL_DEFAULT_TIMEZONE="Europe/Paris",
        BABEL_TRANSLATION_DIRECTORIES=str(paths.TRANSLATIONS),
        MAIL_SUPPRESS_SEND=False,
        MAIL_SERVER=settings.smtp_host,
        MAIL_PORT=settings.smtp_port,
        MAIL_USE_TLS=settings.smtp_tls == "starttls",
        MAIL_USE_SSL=settings.smtp_tls == "tls",
        MAIL_USERNAME=settings.smtp_user or None,
        MAIL_PASSWORD=settings.smtp_password or None,
        MAIL_DEFAULT_SENDER=settings.mail_from,
        MAIL_TIMEOUT=settings.smtp_timeout,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if settings.clock_starts_at is not None:
        clock.start_at(settings.clock_starts_at)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]


def _bind(app: Flask, settings: Settings) -> None:
    house = House(
        link_key=hashlib.sha256(b"links:" + settings.secret_key.encode()).digest(),
        mail_domain=settings.mail_from.rpartition("@")[2],
        organizer=settings.mail_from,
        bounce_address=settings.bounce_address or settings.mail_from,
        authserv_id=settings.authserv_id,
        mail_per_minute=settings.mail_per_minute,
        policy=settings.policy,
    )
    db.session.session_factory.configure(
        info={"seal": Seal(settings.seal_keys), "house": house}
    )
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
    migrate.init_app(app, db)
    csrf.init_app(app)
    babel.init_app(app, locale_selector=signed_in.locale)
    signed_in.init_app(app)
    app.extensions["post"] = SmtpPost(app)
    app.extensions["answers"] = answers_mailbox(settings)
    app.extensions["compose"] = composer(settings, house)


def answers_mailbox(settings: Settings) -> Mailbox | None:
    """Where answers by mail are read, if anywhere."""
    if settings.answers_mailbox == "maildir":
        return Maildir(folder=Path(settings.answers_dir))
    if settings.answers_mailbox == "imap":
        return ImapMailbox(
            host=settings.imap_host,
            port=settings.imap_port,
            user=settings.imap_user,
            password=settings.imap_password,
            folder=settings.imap_folder,
            done_folder=settings.imap_done_folder,
            tls=settings.imap_tls,
        )
    return None


def composer(settings: Settings, house: House) -> Compose:
    """How messages become letters, for these settings."""

    def address_of(purpose: str, link_id: object) -> str:
        if purpose in set(unsubscribing.Subject):
            secret = unsubscribing.token(
                unsubscribing.Subject(purpose), int(str(link_id)), key=house.link_key
            )
            return settings.base_url.rstrip("/") + "/u/" + secret
        is_answer = purpose == links.ANSWER_PAGE
        derive = links.answer_token if is_answer else links.token
        secret = derive(int(str(link_id)), key=house.link_key)
        return settings.base_url.rstrip("/") + LINK_PATHS[purpose] + secret

    return Compose(
        Imprint(
            base_url=settings.base_url,
            organizer_address=settings.mail_from,
            organizer_name=settings.mail_from_name,
            campus_name=settings.campus_name,
            reads_answers=bool(settings.answers_mailbox),
        ),
        links=address_of,
        templates=paths.TEMPLATES,
    )
