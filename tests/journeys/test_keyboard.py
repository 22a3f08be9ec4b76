"""A request and its answer without a mouse: every step by Tab, letters and Enter."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.journeys.service import link_in
from tests.journeys.visitors import Person

MOST_TABS = 150
FOCUSED = """
  () => {
    const at = document.activeElement;
    const named = at.getAttribute("aria-labelledby");
    const label = at.labels?.[0] ?? (named && document.getElementById(named));
    const style = getComputedStyle(at);
    return {
      name: at.getAttribute("aria-label") ?? (label ?? at).innerText ?? "",
      seen: style.outlineStyle !== "none" || style.boxShadow !== "none",
    };
  }
"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until that is in focus; whatever is, must be seen to be."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if re.search(name, found["name"]):
            assert found["seen"], f"the focus on {found['name']} cannot be seen"
            return
    raise AssertionError(f"Tab never reaches {name}")


def test_class_asks_and_company_accepts_without_a_mouse(demo, enters):
    teacher = enters(
        Person(
            name="Thierry Gaudin", email="thierry.gaudin@example.org", room="/teacher/"
        )
    )
    post = demo.postbox()

    teacher.goto("/teacher/")
    tab_to(teacher, "Aller au contenu")
    teacher.keyboard.press("Enter")
    tab_to(teacher, "^Trouver une visite$")
    teacher.keyboard.press("Enter")
    teacher.wait_for_url("**/teacher/offers**")
    tab_to(teacher, "Pour quelle classe")
    teacher.keyboard.type("1TRPM")
    teacher.wait_for_url("**school_class=**")
    tab_to(teacher, "^Des tissus qui sauvent")
    teacher.keyboard.press("Enter")
    expect(steps.heading(teacher)).to_have_text("Des tissus qui sauvent")
    tab_to(teacher, "créneau.*2 février 2027")
    teacher.keyboard.press("Enter")
    expect(steps.heading(teacher)).to_have_text("Demander ce créneau")
    tab_to(teacher, "^Accompagnateurs")
    teacher.keyboard.press("Control+A")
    teacher.keyboard.type("3")
    tab_to(teacher, "Envoyer la demande")
    teacher.keyboard.press("Enter")
    expect(steps.state(teacher)).to_have_text("En attente de réponse")

    contact = enters()
    contact.goto(link_in(post.take(to="visites.h22@example.org")))
    # A dialog is left by Escape, and the focus comes back to where it was opened.
    tab_to(contact, "^Refuser$")
    contact.keyboard.press("Enter")
    expect(contact.get_by_role("dialog")).to_be_visible()
    contact.keyboard.press("Escape")
    expect(contact.get_by_role("dialog")).to_have_count(0)
    assert contact.evaluate(FOCUSED)["name"] == "Refuser"
    contact.keyboard.press("Shift+Tab")
    contact.keyboard.press("Shift+Tab")
    assert contact.evaluate(FOCUSED)["name"].startswith("Accepter")
    contact.keyboard.press("Enter")
    expect(steps.main(contact)).to_contain_text("La visite est confirmée")
