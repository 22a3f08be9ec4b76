// Calendars in (a JSON list of texts), what ical.js sees in them out.
import { readFileSync } from "node:fs";
import ICAL from "./ical.min.mjs";

function seen(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  for (const zone of calendar.getAllSubcomponents("vtimezone")) {
    ICAL.TimezoneService.register(zone);
  }
  return {
    method: calendar.getFirstPropertyValue("method") ?? "",
    events: calendar.getAllSubcomponents("vevent").map((component) => {
      const event = new ICAL.Event(component);
      return {
        uid: event.uid,
        sequence: event.sequence,
        status: component.getFirstPropertyValue("status"),
        summary: event.summary,
        location: event.location,
        starts_at: event.startDate.toUnixTime(),
        ends_at: event.endDate.toUnixTime(),
        attendees: event.attendees.map((each) => each.getFirstValue()),
      };
    }),
  };
}

const given = JSON.parse(readFileSync(0, "utf-8"));
process.stdout.write(JSON.stringify(given.map(seen)));
