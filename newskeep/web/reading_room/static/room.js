// What a page can do better with a script; without one all of it can be read.
"use strict";

// Citations are text that can be marked by hand; the buttons appear where this runs.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const text = document.getElementById(button.dataset.copies);
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    let copied = true;
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      // Browsers have no clipboard for pages over plain HTTP.
      copied = document.execCommand("copy");
    }
    if (copied) {
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = label; }, 2000);
    }
  });
}

// Times are written in UTC. Where the reader's zone is another one they are written anew; the UTC stays as a title.
const { lang, dataset } = document.documentElement;
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const format = options => new Intl.DateTimeFormat(dataset.locale || lang, options);
const day = format({ dateStyle: "long" });
const clock = format({ timeStyle: "short" });
const exactClock = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
// As ISO 8601 has it: Swedes write it so.
const isoDay = new Intl.DateTimeFormat("sv-SE");
const together = (moment, time) => dataset.together.replace("{day}", day.format(moment)).replace("{clock}", time);

const FORMS = {
  day: moment => day.format(moment),
  minute: moment => together(moment, clock.format(moment)),
  moment: moment => together(moment, exactClock.format(moment)),
  // Under the heading of its day; which may be another one here.
  clock: (moment, element) => {
    const heading = element.closest("[data-day]");
    return heading && heading.dataset.day !== isoDay.format(moment) ? FORMS.minute(moment) : clock.format(moment);
  },
};

if (zone && !["UTC", "Etc/UTC", "GMT"].includes(zone)) {
  for (const element of document.querySelectorAll("time[data-form]")) {
    const moment = new Date(element.dateTime);
    const utc = element.textContent;
    element.title = utc.endsWith("UTC") ? utc : `${utc} UTC`;
    element.textContent = FORMS[element.dataset.form](moment, element);
  }
  for (const option of document.querySelectorAll("option[data-datetime]")) {
    option.textContent = `${option.dataset.number}: ${FORMS.minute(new Date(option.dataset.datetime))}`;
  }
  const told = document.getElementById("zone");
  if (told) {
    told.textContent = told.dataset.here.replace("{zone}", zone);
  }
}
