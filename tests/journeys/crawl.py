"""Every page that somebody can reach by following links, one of each kind.

Two pages are of one kind when they differ in numbers and secrets only: all offers,
all visits of one state, all months of a calendar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

MOST_REQUESTS = 400
# These choose what a page shows; other words of an address only narrow it down.
TELLING = ("view", "show", "tab", "state", "who")
NUMBER = re.compile(r"/\d+")
SECRETS = (
    (re.compile(r"^/c/[^/]+"), "/c/CODE"),
    (re.compile(r"^/h/[^/]+"), "/h/TOKEN"),
    (re.compile(r"^/r/[^/]+"), "/r/TOKEN"),
    (re.compile(r"^/u/[^/]+"), "/u/TOKEN"),
    (re.compile(r"^/feeds/[^/]+"), "/feeds/TOKEN"),
    (re.compile(r"^(/sign-in)/(?!sent)[^/]+"), r"\1/TOKEN"),
    (re.compile(r"^(/demo/mailbox)/[^/]+"), r"\1/KEY"),
)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An answer, as far as a crawler cares."""

    status: int
    content_type: str
    body: str

    @property
    def is_page(self) -> bool:
        return self.content_type.startswith("text/html")


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of a page, with the values it would send if nothing were touched."""

    page: str
    action: str
    method: str
    values: tuple[tuple[str, str], ...]
    kinds: dict[str, str]
    """Each field, unticked boxes and buttons included, and what it asks for: text,
    number, date, time, email, hidden, checkbox, radio, select, submit."""

    @property
    def names(self) -> list[str]:
        """Its fields in their order."""
        return list(self.kinds)

    @property
    def kind(self) -> tuple[str, tuple[str, ...]]:
        """What makes two forms the same one of two things."""
        return kind_of(self.action), tuple(sorted(set(self.names)))


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page with its links and forms."""

    path: str
    status: int
    links: tuple[str, ...]
    forms: tuple[Form, ...]
    state: str

    @property
    def kind(self) -> str:
        return f"{kind_of(self.path)} {self.state}".strip()


@dataclass
class _Reading(HTMLParser):
    page: str
    links: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    state: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: dict[str, str] | None = None
        self._values: list[tuple[str, str]] = []
        self._kinds: dict[str, str] = {}
        self._select = ""
        self._selected = False
        self._text_of = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: text or "" for name, text in attrs}
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.page, given["href"]))
        if "badge" in given.get("class", "").split() and not self.state:
            self.state = given["class"]
        if tag == "form":
            self._open = given
            self._values, self._kinds = [], {}
        elif self._open is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag in {"input", "button"} and name:
            self._input(tag, name, given)
        elif tag == "select":
            self._select, self._selected = name, False
            self._kinds[name] = "select"
        elif tag == "option" and self._select:
            if "selected" in given or not self._selected:
                self._values = [v for v in self._values if v[0] != self._select]
                self._values.append((self._select, given.get("value", "")))
                self._selected = True
        elif tag == "textarea" and name:
            self._text_of, self._text = name, ""
            self._kinds[name] = "text"

    def _input(self, tag: str, name: str, given: dict[str, str]) -> None:
        value = given.get("value", "")
        kind = given.get("type", "submit" if tag == "button" else "text")
        self._kinds[name] = kind
        if kind in {"checkbox", "radio"}:
            if "checked" in given:
                self._values.append((name, value or "on"))
        elif kind != "submit":
            self._values.append((name, value))

    def handle_data(self, data: str) -> None:
        if self._text_of:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea" and self._text_of:
            self._values.append((self._text_of, self._text.lstrip("\n")))
            self._text_of = ""
        elif tag == "form" and self._open is not None:
            self.forms.append(
                Form(
                    page=self.page,
                    action=urljoin(self.page, self._open.get("action") or self.page),
                    method=self._open.get("method", "get").lower(),
                    values=tuple(self._values),
                    kinds=self._kinds,
                )
            )
            self._open = None


def read_page(path: str, fetched: Fetched) -> Page:
    """What a page leads to."""
    reading = _Reading(path)
    reading.feed(fetched.body)
    return Page(
        path=path,
        status=fetched.status,
        links=tuple(dict.fromkeys(reading.links)),
        forms=tuple(reading.forms),
        state=reading.state,
    )


def kind_of(address: str) -> str:
    """The address without its numbers, secrets and most of its query."""
    parts = urlsplit(address)
    path = parts.path
    for secret, name in SECRETS:
        path = secret.sub(name, path)
    path = NUMBER.sub("/N", path)
    query = sorted(
        f"{name}={text}" for name, text in parse_qsl(parts.query) if name in TELLING
    )
    return "?".join(filter(None, (path, "&".join(query))))


def crawl(
    fetch: Callable[[str], Fetched], starts: Iterable[str], *, each: int = 1
) -> list[Page]:
    """Pages within reach of ``starts``, up to ``each`` of every kind.

    A redirect is the fetcher's business; what is no page, or has no page's status, is
    looked at and left.
    """
    waiting = list(starts)
    asked: set[str] = set()
    kinds: dict[str, int] = {}
    pages: list[Page] = []
    looked: dict[str, int] = {}
    while waiting and len(asked) < MOST_REQUESTS:
        path = waiting.pop(0)
        address = kind_of(path)
        if path in asked or looked.get(address, 0) >= 4 * each:
            continue
        asked.add(path)
        looked[address] = looked.get(address, 0) + 1
        fetched = fetch(path)
        if not fetched.is_page:
            continue
        page = read_page(path, fetched)
        if kinds.get(page.kind, 0) < each:
            kinds[page.kind] = kinds.get(page.kind, 0) + 1
            pages.append(page)
        waiting += [link for link in map(_inside, page.links) if link]
    return pages


def _inside(link: str) -> str:
    """The link without host and fragment, if it stays on this machine."""
    parts = urlsplit(link)
    if parts.scheme not in {"", "http"} or parts.hostname not in {None, "127.0.0.1"}:
        return ""
    if not parts.path.startswith("/"):
        return ""
    return parts._replace(scheme="", netloc="", fragment="").geturl()
