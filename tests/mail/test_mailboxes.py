"""Letters are fetched with bounds and put away only when somebody says so."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from scheduler.mail import mailboxes
from scheduler.mail.mailboxes import ENOUGH, ImapMailbox, Maildir, Unreadable
from tests.mail import imap_server

SMALL = b"Subject: one\r\n\r\nHello\r\n"
USER, PASSWORD = "demouser", "demopass"


# ------------------------------------------------------------------ Maildir


@pytest.fixture
def maildir(tmp_path: Path) -> Maildir:
    box = Maildir(folder=tmp_path / "answers")
    box.deliver(SMALL, name="1.a")
    return box


def names(box: Maildir, part: str) -> list[str]:
    return sorted(path.name for path in (box.folder / part).iterdir())


def test_a_message_stays_until_it_is_put_away(maildir):
    assert [each.octets for each in maildir.arrived()] == [SMALL]
    assert [each.octets for each in maildir.arrived()] == [SMALL]

    for each in maildir.arrived():
        each.put_away()

    assert list(maildir.arrived()) == []
    assert (names(maildir, "new"), names(maildir, "cur")) == ([], ["1.a:2,S"])


def test_what_a_mail_program_has_moved_but_nobody_read_is_read(maildir):
    (maildir.folder / "new" / "1.a").rename(maildir.folder / "cur" / "1.a:2,F")

    for each in maildir.arrived():
        each.put_away()

    assert names(maildir, "cur") == ["1.a:2,FS"]


def test_the_oldest_comes_first(maildir):
    maildir.deliver(b"Subject: older\r\n\r\n", name="0.b")
    os.utime(maildir.folder / "new" / "0.b", (1, 1))

    assert [each.size for each in maildir.arrived()] == [18, len(SMALL)]


def test_two_readers_put_away_the_same_message(maildir):
    (first,), (second,) = list(maildir.arrived()), list(maildir.arrived())

    first.put_away()
    second.put_away()

    assert names(maildir, "cur") == ["1.a:2,S"]


def test_a_message_that_cannot_be_put_away_holds_up_no_other(maildir, monkeypatch):
    """A folder stands where it would go; with room for one at a time it comes last."""
    monkeypatch.setattr(mailboxes, "AT_ONCE", 1)
    (maildir.folder / "cur" / "1.a:2,S").mkdir()
    (maildir.folder / "cur" / "1.a:2,S" / "full").touch()
    maildir.deliver(b"Subject: two\r\n\r\n", name="2.b")
    os.utime(maildir.folder / "new" / "1.a", (1, 1))

    seen = []
    for _round in range(2):
        for each in maildir.arrived():
            seen.append(each.octets)
            each.put_away()

    assert seen == [SMALL, b"Subject: two\r\n\r\n"]
    assert names(maildir, "new") == ["1.a"]


def test_a_message_that_cannot_be_opened_holds_up_no_other(maildir, monkeypatch):
    monkeypatch.setattr(mailboxes, "AT_ONCE", 1)
    maildir.deliver(b"Subject: two\r\n\r\n", name="2.b")
    os.utime(maildir.folder / "new" / "1.a", (1, 1))
    opened = Path.open

    def refuse(path: Path, *args: object, **more: object) -> object:
        if path.name == "1.a":
            raise PermissionError
        return opened(path, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)

    assert list(maildir.arrived()) == []
    assert [each.octets for each in maildir.arrived()] == [b"Subject: two\r\n\r\n"]


def test_of_a_huge_file_only_the_beginning_is_read(maildir):
    with (maildir.folder / "new" / "2.b").open("wb") as file:
        file.truncate(30_000_000)

    huge = [each for each in maildir.arrived() if each.size > ENOUGH]

    assert [(len(each.octets), each.size) for each in huge] == [(ENOUGH, 30_000_000)]


def test_links_and_hidden_files_are_left_alone(maildir, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (maildir.folder / "new" / "link").symlink_to(tmp_path / "secret")
    (maildir.folder / "new" / ".hidden").write_bytes(b"x")

    assert [each.octets for each in maildir.arrived()] == [SMALL]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Unreadable, match="no_such_folder"):
        list(Maildir(folder=tmp_path / "nowhere").arrived())


def test_what_was_read_long_ago_is_forgotten(maildir):
    for each in maildir.arrived():
        each.put_away()
    maildir.deliver(SMALL, name="2.b")
    os.utime(maildir.folder / "cur" / "1.a:2,S", (1000, 1000))
    os.utime(maildir.folder / "new" / "2.b", (1000, 1000))

    assert maildir.forget_before(2000) == 1
    assert (names(maildir, "new"), names(maildir, "cur")) == (["2.b"], [])


# ------------------------------------------------------------------ IMAP


@pytest.fixture
def server(tmp_path: Path) -> Iterator[imap_server.Server]:
    with imap_server.running(tmp_path) as running:
        yield running


def mailbox(server: imap_server.Server, **more: object) -> ImapMailbox:
    given = {"user": USER, "password": PASSWORD, "tls": "none"} | more
    return ImapMailbox(host="127.0.0.1", port=server.port, **given)  # type: ignore[arg-type]


def put(server: imap_server.Server, *messages: bytes) -> None:
    with IMAPClient("127.0.0.1", port=server.port, ssl=False) as client:
        client.login(USER, PASSWORD)
        for message in messages:
            client.append("INBOX", message)


def test_imap_messages_stay_until_they_are_put_away(server):
    put(server, SMALL, b"Subject: two\r\n\r\nHi\r\n")
    box = mailbox(server)

    assert next(each.octets for each in box.arrived()) == SMALL
    assert box.look() == 2
    for each in box.arrived():
        each.put_away()

    assert (box.look(), list(box.arrived())) == (0, [])


def test_imap_messages_go_to_another_folder(server):
    put(server, SMALL)
    box = mailbox(server, done_folder="Read")

    for each in box.arrived():
        each.put_away()

    assert box.look() == 0
    with IMAPClient("127.0.0.1", port=server.port, ssl=False) as client:
        client.login(USER, PASSWORD)
        assert client.select_folder("Read")[b"EXISTS"] == 1


@pytest.mark.parametrize("method", ["add_flags", "fetch"])
def test_an_imap_message_that_the_server_refuses_holds_up_no_other(
    server, monkeypatch, method
):
    put(server, SMALL, b"Subject: two\r\n\r\nHi\r\n")
    box = mailbox(server)
    refuse_first(monkeypatch, method, IMAPClientError("NO not this one"))

    for each in box.arrived():
        each.put_away()

    assert box.look() == 1
    monkeypatch.undo()
    (left,) = box.arrived()
    assert left.octets == SMALL


@pytest.mark.parametrize("method", ["add_flags", "fetch"])
def test_an_imap_message_that_breaks_the_connection_comes_last_from_then_on(
    server, monkeypatch, method
):
    put(server, SMALL, b"Subject: two\r\n\r\nHi\r\n")
    box = mailbox(server)
    refuse_first(monkeypatch, method, IMAPClientAbortError("gone"))

    first, second = read(box), read(box)

    assert [each[:12] for each in first] in ([], [SMALL[:12]])
    assert second[0].startswith(b"Subject: two")
    monkeypatch.undo()
    assert box.look() == 1


def read(box: ImapMailbox) -> list[bytes]:
    """What one round gets, until the connection is gone."""
    seen = []
    with suppress(Unreadable):
        for each in box.arrived():
            seen.append(each.octets)
            each.put_away()
    return seen


def test_the_last_imap_message_may_vanish_while_one_reads(server):
    """The one before it is the last then, and is put away over the open connection."""
    put(server, SMALL, b"Subject: two\r\n\r\n", b"Subject: three\r\n\r\n")
    arrived = iter(mailbox(server).arrived())
    first = next(arrived)
    with IMAPClient("127.0.0.1", port=server.port, ssl=False) as client:
        client.login(USER, PASSWORD)
        client.select_folder("INBOX")
        client.delete_messages(client.search("ALL")[-1:])
        client.expunge()

    rest = [(each.octets, each.last) for each in arrived]

    assert (first.octets, first.last) == (SMALL, False)
    assert rest == [(b"Subject: two\r\n\r\n", True)]


def refuse_first(monkeypatch: pytest.MonkeyPatch, method: str, no: Exception) -> None:
    """Of the first message of the folder the server will not hear."""
    real = getattr(IMAPClient, method)

    def said(client: IMAPClient, uids: list[int], *args: object, **more: object):
        if uids == client.search("ALL")[:1]:
            raise no
        return real(client, uids, *args, **more)

    monkeypatch.setattr(IMAPClient, method, said)


def test_of_a_huge_imap_message_only_the_beginning_is_fetched(server):
    put(server, b"Subject: big\r\n\r\n" + b"x" * 3_000_000)

    (huge,) = mailbox(server).arrived()

    assert len(huge.octets) == ENOUGH
    assert huge.size > 3_000_000


def test_a_wrong_password_is_told_and_not_repeated(server):
    box = mailbox(server, password="a wrong secret")

    with pytest.raises(Unreadable) as trouble:
        box.look()

    assert trouble.value.reason == "login_refused"
    assert "secret" not in repr(box) + str(trouble.value)


def test_a_folder_that_the_server_lacks_is_told(server):
    with pytest.raises(Unreadable, match="server_said_no"):
        mailbox(server, folder="Nowhere").look()


def test_nobody_listens():
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]

    with pytest.raises(Unreadable, match="connection_lost"):
        ImapMailbox(host="127.0.0.1", port=port, user="u", password="p").look()


def test_a_server_that_hangs_up_is_told():
    with imap_server.scripted(b"* OK ready\r\n") as port:
        box = ImapMailbox(
            host="127.0.0.1", port=port, user="u", password="p", tls="none"
        )
        with pytest.raises(Unreadable, match="connection_lost"):
            box.look()


def test_a_certificate_that_nobody_signed_is_refused(tmp_path):
    with imap_server.with_certificate(tmp_path, "127.0.0.1") as (port, _):
        box = ImapMailbox(host="127.0.0.1", port=port, user="u", password="p")
        with pytest.raises(Unreadable, match="certificate_refused"):
            box.look()


def test_a_certificate_of_another_host_is_refused(tmp_path):
    with imap_server.with_certificate(tmp_path, "mail.example.org") as (port, file):
        trust = ssl.create_default_context(cafile=str(file))
        box = ImapMailbox(
            host="127.0.0.1", port=port, user="u", password="p", trust=trust
        )
        with pytest.raises(Unreadable, match="certificate_refused"):
            box.look()
