"""A teacher ranks wishes for a class, with buttons alone, and sees what is possible."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduler.domain.wishes import Splitting, WishListState
from scheduler.persistence.models.campaigns import WishListRow
from scheduler.persistence.queries.wishes import list_to_change
from tests import rows
from tests.rows import NOW


@pytest.fixture
def campaign(session, world):
    return rows.store_campaign(session)


@pytest.fixture
def there(world, campaign):
    return f"/teacher/campaigns/{campaign}/classes/{world.school_class}"


@pytest.fixture
def teacher(signed_in):
    return signed_in("teacher")


def typed(world, **changes):
    return {
        "students": "24",
        "adults": "2",
        "max_km": "80",
        "split": "nearby",
        "three": "y",
        "wishes-0-what": f"s{world.slots[0]}",
        "wishes-1-what": f"h{world.host}",
        "wishes-2-what": "any",
        "wishes-2-first_on": "2027-01-11",
        "wishes-2-last_on": "2027-02-28",
        "absent-0-first": "2027-01-18",
        "absent-0-last": "2027-01-22",
        "back_by": "18:00",
        "message": "Bonjour",
        "step": "file",
        **changes,
    }


def stored(session, world, campaign):
    session.rollback()
    return list_to_change(session, campaign, world.school_class)


def test_the_first_look_says_how_many_dates_could_serve(teacher, there):
    page = teacher.get(there).get_data(as_text=True)
    assert "Aucune date ne convient à cette classe" in page
    assert "80\N{NO-BREAK SPACE}km\N{NO-BREAK SPACE}: 3 dates de plus" in page
    assert 'value="24"' in page


def test_wishes_are_filed_and_come_back_as_they_were(
    teacher, session, world, campaign, there
):
    answer = teacher.post(there, data=typed(world))
    assert answer.status_code == 303
    row = stored(session, world, campaign)
    assert [each.position for each in row.wishes] == [1, 2, 3]
    assert (row.split, row.max_parts) == (Splitting.NEARBY, 3)
    assert row.absent == [{"first": "2027-01-18", "last": "2027-01-22"}]
    page = teacher.get(there).get_data(as_text=True)
    assert f'<option selected value="s{world.slots[0]}">' in page
    assert "Les vœux sont déposés" in page
    assert "3 vœux déposés" in teacher.get("/teacher/campaigns").get_data(as_text=True)


def test_looking_keeps_nothing_and_says_what_opens_more(teacher, session, world, there):
    asked = typed(world, step="look", back_by="16:30", **{"absent-0-first": ""})
    asked["absent-0-last"] = ""
    page = teacher.post(there, data=asked).get_data(as_text=True)
    assert "peuvent satisfaire ces vœux" in page
    assert "Avec un retour à 17" in page
    assert session.query(WishListRow).count() == 0


def lines(page):
    """The chosen options, line by line."""
    return [
        part.split('value="')[1].split('"')[0]
        for part in page.split("<option selected ")[1:]
    ]


@pytest.mark.parametrize(
    ("step", "order"),
    [
        ("up-1", "hsa"),
        ("down-0", "hsa"),
        ("drop-0", "ha"),
        ("down-2", "sha"),
        ("up-0", "sha"),
        ("more", "sha"),
        ("up-99", "sha"),
        ("drop-x", "sha"),
    ],
)
def test_lines_move_and_nothing_typed_is_lost(teacher, world, there, step, order):
    answer = teacher.post(there, data=typed(world, step=step))
    page = answer.get_data(as_text=True)
    if step in {"up-99", "drop-x"}:
        assert answer.status_code in {200, 303}
        return
    assert "".join(each[:1] for each in lines(page) if each) == order
    assert "Bonjour" in page
    assert 'value="2027-01-18"' in page


def test_a_mistake_is_said_and_nothing_typed_is_lost(
    teacher, session, world, campaign, there
):
    wrong = typed(world, students="none", **{"wishes-2-first_on": "2027-03-30"})
    answer = teacher.post(there, data=wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "2027-03-30" in page
    backwards = typed(world, **{"wishes-2-first_on": "2027-03-30"})
    answer = teacher.post(there, data=backwards)
    assert answer.status_code == 422
    assert "Vœu 3" in answer.get_data(as_text=True)
    assert stored(session, world, campaign) is None


def test_a_list_without_a_wish_is_refused(teacher, world, there):
    nothing = typed(world, **{f"wishes-{number}-what": "" for number in range(3)})
    answer = teacher.post(there, data=nothing)
    assert answer.status_code == 422
    assert "au moins un vœu" in answer.get_data(as_text=True)


def test_wishes_are_taken_back(teacher, session, world, campaign, there):
    teacher.post(there, data=typed(world))
    assert teacher.post(f"{there}/withdraw").status_code == 303
    assert stored(session, world, campaign).state is WishListState.WITHDRAWN
    assert "Vœux retirés" in teacher.get("/teacher/campaigns").get_data(as_text=True)


def test_after_the_closing_wishes_are_read_not_changed(
    teacher, world, there, wall_clock
):
    teacher.post(there, data=typed(world))
    wall_clock.at = NOW + timedelta(days=11)
    page = teacher.get(there).get_data(as_text=True)
    assert "Ce qui a été souhaité" in page
    assert "<textarea" not in page
    late = teacher.post(there, data=typed(world, students="9"))
    assert late.status_code == 422
    assert "Les vœux sont clos" in late.get_data(as_text=True)


def test_a_slot_can_be_brought_along(teacher, world, there):
    page = teacher.get(f"{there}?wish=s{world.slots[1]}").get_data(as_text=True)
    assert lines(page)[0] == f"s{world.slots[1]}"
    strange = teacher.get(f"{there}?wish=s999999")
    assert strange.status_code == 200


def test_another_schools_class_is_not_found(signed_in, there):
    assert signed_in("other_teacher").get(there).status_code == 404
    assert signed_in("other_teacher").post(there).status_code == 404


def test_anybody_reads_the_rules_and_the_method(client, session, campaign):
    rules = client.get(f"/campaigns/{campaign}/rules").get_data(as_text=True)
    assert "4217" in rules
    assert "L’établissement est rural" in rules
    method = client.get("/how-places-are-given").get_data(as_text=True)
    assert "Premier arrivé, premier servi" in method


def test_a_draft_has_no_public_rules(client, session):
    draft = rows.store_campaign(session, state="draft")
    assert client.get(f"/campaigns/{draft}/rules").status_code == 404
