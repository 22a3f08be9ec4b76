"""Every way the rules say no: a stable code and the facts, no sentences.

The words belong to ``templates/_parts/refusals.html``; the status of a page to
``web/refusals.py``.
"""

from __future__ import annotations


class Refusal(Exception):
    """The rules forbid what was asked. ``code`` is stable."""

    code = "refused"

    def __init__(self, **facts: object) -> None:
        super().__init__(f"{self.code}: {facts}")
        self.facts = facts


class Refused(Refusal):
    """Several rules forbid it; all are told at once, the first one names the code."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(codes=[refusal.code for refusal in refusals])
        self.refusals = refusals
        self.code = refusals[0].code


class NotFound(Refusal):
    """It does not exist, or not for whoever asks (P6: the two look the same)."""

    code = "not_found"


class WrongState(Refusal):
    """The step is not possible from the state the thing is in."""

    code = "wrong_state"


class LinkSpent(Refusal):
    """The personal link is unknown, used, revoked or out of date."""

    code = "link_spent"


class TooManyTries(Refusal):
    """The same address or machine asked too often."""

    code = "too_many_tries"


class ReasonMissing(Refusal):
    """A typed reason is part of the step."""

    code = "reason_missing"


# The numbers of a group


class NoStudents(Refusal):
    """At least one student comes."""

    code = "no_students"


class NumbersDisagree(Refusal):
    """Girls and boys together are more than the students."""

    code = "numbers_disagree"


class TooFewAdults(Refusal):
    """DOMAIN rule 1: one adult of the school for each parallel sub-group."""

    code = "too_few_adults"


class GroupTooBig(Refusal):
    """The host never takes that many at once, however empty the slot is."""

    code = "group_too_big"


class SlotFull(Refusal):
    """Others hold the seats (students, people or groups)."""

    code = "slot_full"


# Who may come


class KindNotBookable(Refusal):
    """This kind of offer is not booked by slot yet."""

    code = "kind_not_bookable"


class LevelTooLow(Refusal):
    """DOMAIN rule 3: the host welcomes from a higher grade on."""

    code = "level_too_low"


class TooYoung(Refusal):
    """DOMAIN rule 3: the youngest student is below the host's minimum age."""

    code = "too_young"


# When


class TooLate(Refusal):
    """The slot has begun."""

    code = "too_late"


class NoticeTooShort(Refusal):
    """The host asks for more days of notice (DOMAIN rule 5)."""

    code = "notice_too_short"


class SlotNotOpen(Refusal):
    """The slot is closed or cancelled."""

    code = "slot_not_open"


class OfferNotPublished(Refusal):
    """The offer is a draft, paused, archived or blocked."""

    code = "offer_not_published"


class SchoolClosed(Refusal):
    """School holiday, bridge or public holiday (TE-M3)."""

    code = "school_closed"


class CalendarUnknown(Refusal):
    """Nobody has entered the school calendar for that day yet."""

    code = "calendar_unknown"


class ClassAbsent(Refusal):
    """The class is away (work placement, observation week, exams)."""

    code = "class_absent"


class AfterExam(Refusal):
    """DOMAIN rule 8: final-year vocational classes do not come after the exam date."""

    code = "after_exam"


class WednesdayAfternoon(Refusal):
    """DOMAIN rule 6: collèges have no lessons on Wednesday afternoon."""

    code = "wednesday_afternoon"


class ReturnTooLate(Refusal):
    """DOMAIN rule 6: the class would be back after the school's hour."""

    code = "return_too_late"


class ClassBusy(Refusal):
    """DOMAIN rule 7: the class holds another visit at that time or half-day."""

    code = "class_busy"


class OrganiserBusy(Refusal):
    """DOMAIN rule 7: the teacher is on another visit at that time."""

    code = "organiser_busy"


class HostCapReached(Refusal):
    """The host's cap per day, month or school year is used up."""

    code = "host_cap_reached"


class HostClosed(Refusal):
    """The host has marked the day as closed."""

    code = "host_closed"


class OtherHost(Refusal):
    """A visit moves between slots of one host only."""

    code = "other_host"


class SameSlot(Refusal):
    """The visit is on that slot already."""

    code = "same_slot"


# What a host or school enters


class BadUai(Refusal):
    """DOMAIN rule 10: not a school identifier."""

    code = "bad_uai"


class BadSiret(Refusal):
    """DOMAIN rule 10: not an establishment identifier."""

    code = "bad_siret"


class LimitTooLow(Refusal):
    """A limit of less than one: nobody could ever come."""

    code = "limit_too_low"


class BadTimes(Refusal):
    """The end is not after the start, or the length is out of bounds."""

    code = "bad_times"


class NoSuchTime(Refusal):
    """The clocks jump over that time on that night."""

    code = "no_such_time"


class SlotsOverlap(Refusal):
    """The host already has a slot of this offer at that time."""

    code = "slots_overlap"


class SlotInUse(Refusal):
    """Visits hold seats: fewer seats than held, or removal, is not possible."""

    code = "slot_in_use"


class HandlingWords(Refusal):
    """DOMAIN rule 4: a visit is for looking; the text speaks of handling machines."""

    code = "handling_words"


class NotReady(Refusal):
    """The offer misses something a teacher needs before it can be published."""

    code = "not_ready"


class SameAddress(Refusal):
    """A correction changes something."""

    code = "same_address"


class AddressTaken(Refusal):
    """Somebody else signs in with this address."""

    code = "address_taken"


class BadAddress(Refusal):
    """Not an e-mail address we can write to."""

    code = "bad_address"


class BadListAddress(BadAddress):
    """The same of the address of a class's mailing list."""

    code = "bad_list_address"


class BadLine(Refusal):
    """A line of an imported table cannot be used: which column, what it says."""

    code = "bad_line"


class TooManyAddresses(Refusal):
    """More student addresses than students."""

    code = "too_many_addresses"


class LastContact(Refusal):
    """A company that receives classes keeps somebody to write to."""

    code = "last_contact"


class ContactKnown(Refusal):
    """The person is a contact of the company already."""

    code = "contact_known"


class ProposerGone(Refusal):
    """Who asked for another time does not speak for that side any more."""

    code = "proposer_gone"


class LetterPurged(Refusal):
    """What a mail said, or to whom it went, was destroyed in its time."""

    code = "letter_purged"


# Campaigns


class CampaignDates(Refusal):
    """The days of a campaign contradict one another; ``wrong`` says which."""

    code = "campaign_dates"


class CampaignFixed(Refusal):
    """The rules were announced: they hold for everybody now."""

    code = "campaign_fixed"


class CampaignInUse(Refusal):
    """Wishes were filed or a plan was computed: it cannot be dropped."""

    code = "campaign_in_use"


class WishesNotOpen(Refusal):
    """Wishes are filed between two instants of a campaign: not yet, or no more."""

    code = "wishes_not_open"


class LevelNotMeant(Refusal):
    """The campaign is for classes of other levels."""

    code = "level_not_meant"


class NoWish(Refusal):
    """A wish list names at least one wish."""

    code = "no_wish"


class TooManyWishes(Refusal):
    """The rules of the campaign limit a list."""

    code = "too_many_wishes"


class WrongWish(Refusal):
    """One wish of a list cannot be: ``position`` from 1, ``wrong`` says why."""

    code = "wrong_wish"


class RunUnderway(Refusal):
    """A campaign has one run at a time that waits or computes."""

    code = "run_underway"


class NothingToPublish(Refusal):
    """The run has no plan, or one with slots that nobody opened."""

    code = "nothing_to_publish"


class WishesStillOpen(Refusal):
    """A plan is published once the wishes are closed."""

    code = "wishes_still_open"


class PlanOutdated(Refusal):
    """The plan is older than the closing of wishes or the last publication."""

    code = "plan_outdated"


class PublishedAlready(Refusal):
    """Somebody else published a plan of the campaign; at one time one is placed."""

    code = "published_already"


class WishWithdrawn(Refusal):
    """The teacher has taken the wishes back since the plan was made."""

    code = "wish_withdrawn"


class ClassGone(Refusal):
    """The class, or its teacher, is no longer there."""

    code = "class_gone"
