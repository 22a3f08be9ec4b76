"""The demo's people and places: believable, fictitious, and true to the lists."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from stdnum.fr import siret

from scheduler.demo.moves import MOVES
from scheduler.demo.network import ALSO_TEACHES_IN
from scheduler.demo.stories import stories
from scheduler.domain.handling import handling_words
from tests.reference.tables import codes, column, parts, rows

HOSTS = {row["host_id"]: row for row in rows("sample/hosts.csv")}
RULES = {row["host_id"]: row for row in rows("sample/host_rules.csv")}
OFFERS = rows("sample/offers.csv")
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
ADDRESS = re.compile(r"[a-z0-9.]+@example\.org")
EQUIPMENT_WORDS = {
    "overshoes": "urchaussures",
    "safety_shoes_lent": "haussures de sécurité",
    "safety_shoes_brought": "haussures de sécurité",
    "shoes_closed": "haussures fermées",
    "glasses": "unettes",
    "vest": "ilet",
    "helmet": "asque",
    "earplugs": "bouchons d’oreilles",
    "hair_net": "charlotte",
    "coat": "louse",
    "esd_coat": "louse",
    "esd_heel_strap": "alonnettes",
    "full_hygiene_kit": "enue d’hygiène",
    "clean_room_kit": "ombinaison",
}


def test_there_are_thirty_hosts_sixteen_schools_twenty_classes() -> None:
    assert len(HOSTS) == 30
    assert len(rows("sample/schools.csv")) == 16
    assert len(rows("sample/classes.csv")) == 20


@pytest.mark.parametrize(
    "name", ["sample/hosts.csv", "sample/schools.csv", "sample/network.csv"]
)
def test_communes_exist_under_the_same_name(name: str) -> None:
    communes = {row["insee"]: row for row in rows("communes.csv")}

    for row in rows(name):
        commune = communes[row["insee"]]
        assert commune["name"] == row["commune"]
        assert row["postcode"] in parts(commune["postcodes"])


@pytest.mark.parametrize(
    "name", ["sample/hosts.csv", "sample/schools.csv", "sample/network.csv"]
)
def test_every_name_says_that_it_is_invented(name: str) -> None:
    assert all(label.endswith(" (fictif)") for label in column(name, "name"))


def test_siret_numbers_pass_the_check() -> None:
    assert all(siret.is_valid(host["siret_fictif"]) for host in HOSTS.values())


def test_uai_letters_pass_the_check() -> None:
    for school in rows("sample/schools.csv"):
        number, letter = school["uai_fictif"][:7], school["uai_fictif"][7:]
        assert LETTERS[int(number) % 23] == letter
        assert number[1:3] == school["insee"][:2]


def test_hosts_use_the_lists() -> None:
    for host in HOSTS.values():
        assert set(parts(host["fields"])) <= codes("fields.csv")
        rule = RULES[host["host_id"]]
        worn = {code.partition("(")[0] for code in parts(rule["ppe"])}
        assert worn <= codes("ppe.csv")


def test_every_table_about_hosts_speaks_of_every_host() -> None:
    assert RULES.keys() == HOSTS.keys()
    assert [offer["host_id"] for offer in OFFERS] == sorted(HOSTS)
    assert set(column("sample/contacts.csv", "host_id")) == HOSTS.keys()


def test_schools_and_classes_use_the_lists() -> None:
    schools = set(column("sample/schools.csv", "school_id"))

    assert set(column("sample/schools.csv", "type")) <= codes("school_kinds.csv")
    assert set(column("sample/classes.csv", "level")) <= codes("levels.csv")
    assert set(column("sample/classes.csv", "school_id")) <= schools


def test_every_school_has_one_or_two_teachers() -> None:
    teachers = Counter(column("sample/teachers.csv", "school_id"))

    assert teachers.keys() == set(column("sample/schools.csv", "school_id"))
    assert set(teachers.values()) <= {1, 2}


def test_every_host_has_a_contact_and_a_substitute() -> None:
    people = rows("sample/contacts.csv")

    roles = Counter((person["host_id"], person["role"]) for person in people)
    assert roles == Counter(
        (host, role) for host in HOSTS for role in ("contact", "substitute")
    )
    for person in people:
        if person["role"] == "contact":
            host = HOSTS[person["host_id"]]
            assert person["email"] == host["contact_email"]
            assert person["phone"] == host["contact_phone"]


def test_nobody_shares_an_address_and_none_is_real() -> None:
    addresses = [
        *column("sample/teachers.csv", "email"),
        *column("sample/contacts.csv", "email"),
        *column("sample/schools.csv", "office_email"),
    ]

    assert len(set(addresses)) == len(addresses)
    assert all(ADDRESS.fullmatch(address) for address in addresses)


def test_phones_are_of_the_range_kept_for_fiction() -> None:
    phones = column("sample/contacts.csv", "phone")

    assert len(set(phones)) == len(phones)
    assert all(re.fullmatch(r"02 61 91 \d\d \d\d", phone) for phone in phones)


def test_network_members_are_of_other_kinds_too() -> None:
    kinds = set(column("sample/network.csv", "kind"))

    assert kinds <= codes("organisation_kinds.csv")
    assert {"BRANCH", "EMPLOYERS_ORGANISATION", "LABORATORY", "ASSOCIATION"} <= kinds


def test_women_witnesses_are_no_more_than_the_host_announces() -> None:
    women = Counter(
        row["host_id"] for row in rows("sample/witnesses.csv") if row["gender"] == "W"
    )

    for host, rule in RULES.items():
        announced = int(rule["women_witnesses"])
        assert women[host] <= announced
        assert (women[host] > 0) == (announced > 0)


def test_witnesses_tell_a_path_and_not_their_gender() -> None:
    for row in rows("sample/witnesses.csv"):
        assert row["gender"] in {"W", "M"}
        assert not re.search(r"\bfemmes?\b|\bfilles\b", row["path_fr"])


def test_offers_speak_of_looking_only() -> None:
    for offer in OFFERS:
        for key, text in offer.items():
            assert handling_words(text) == [], (offer["host_id"], key)


def test_offers_show_three_things() -> None:
    for offer in OFFERS:
        assert len(parts(offer["see_fr"])) == 3
        assert all(parts(offer["see_fr"]))


def test_offers_fit_a_page() -> None:
    for offer in OFFERS:
        assert len(offer["title_fr"]) <= 60
        assert len(offer["summary_fr"]) <= 300
        assert all(len(line) <= 100 for line in parts(offer["see_fr"]))


def test_clothes_name_all_equipment_of_the_host() -> None:
    for offer in OFFERS:
        for item in parts(RULES[offer["host_id"]]["ppe"]):
            word = EQUIPMENT_WORDS.get(item.partition("(")[0], "")
            assert word in offer["wear_fr"], (offer["host_id"], item)


def test_wheelchair_notes_agree_with_the_rule() -> None:
    for offer in OFFERS:
        whole = "la visite entière est accessible" in offer["wheelchair_note_fr"]
        assert whole == (RULES[offer["host_id"]]["wheelchair"] == "YES")


def test_stories_are_about_those_who_are_there() -> None:
    classes = {row["class_id"]: row["school_id"] for row in rows("sample/classes.csv")}
    schools = {
        row["teacher_id"]: {row["school_id"], ALSO_TEACHES_IN.get(row["teacher_id"])}
        for row in rows("sample/teachers.csv")
    }

    for story in rows("sample/stories.csv"):
        assert classes[story["class_id"]] in schools[story["teacher_id"]]
        assert HOSTS.keys() >= set(parts(story["hosts"]))


def test_every_move_is_part_of_a_story() -> None:
    played = {step.move for story in stories() for step in story.then}

    assert played == MOVES.keys()


def test_stories_go_forward() -> None:
    for story in stories():
        moments = [story.asked, *(step.days for step in story.then)]
        assert moments == sorted(moments), story


@pytest.mark.parametrize(
    "name",
    [
        "sample/offers.csv",
        "sample/stories.csv",
        "sample/witnesses.csv",
        "sample/network.csv",
    ],
)
def test_french_typography(name: str) -> None:
    """No-break spaces before high punctuation, curly apostrophes."""
    for row in rows(name):
        for key, text in row.items():
            if key.endswith("_fr"):
                assert not re.search(r"[^\u00a0][:;?!»](?:\s|$)|«[^\u00a0]|'", text)
