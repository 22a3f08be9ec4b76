"""Which mails, how often, in which language."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import (  # type: ignore[attr-defined]  # stubs: 3.2
    BooleanField,
    RadioField,
    SelectChoice,
)
from wtforms.validators import InputRequired

from scheduler.services.mail_choices import MailChoices
from scheduler.web.attempt import ServiceForm

AT_ONCE, DAILY = "at_once", "daily"


class MailsForm(ServiceForm):
    """``summaries`` is asked of hosts only; nobody else is sent any."""

    rhythm = RadioField(
        lazy_gettext("News that ask nothing of you"),
        choices=[
            SelectChoice(AT_ONCE, lazy_gettext("At once, one mail each")),
            SelectChoice(
                DAILY, lazy_gettext("Once a day, at half past seven in the morning")
            ),
        ],
        validators=[InputRequired(lazy_gettext("Please choose one answer."))],
    )
    reminders = BooleanField(lazy_gettext("A week before a visit, and on the eve"))
    summaries = BooleanField(
        lazy_gettext("In the morning, if students have answered since the last time")
    )
    locale = RadioField(
        lazy_gettext("Language of pages and mails"),
        choices=[SelectChoice("fr", "Français"), SelectChoice("en", "English")],
        validators=[InputRequired(lazy_gettext("Please choose one answer."))],
    )

    def fill(self, choices: MailChoices) -> None:
        """Show what is chosen now."""
        self.rhythm.data = DAILY if choices.daily else AT_ONCE
        self.reminders.data = choices.reminders
        self.summaries.data = choices.summaries
        self.locale.data = choices.locale

    def choices(self, *, asks_summaries: bool) -> MailChoices:
        """What was chosen; what was not asked stays on."""
        return MailChoices(
            daily=self.rhythm.data == DAILY,
            reminders=bool(self.reminders.data),
            summaries=bool(self.summaries.data) or not asks_summaries,
            locale=str(self.locale.data),
        )
