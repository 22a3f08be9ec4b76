"""Calendars: facts in, RFC 5545 octets out. Nothing else imports icalendar."""
