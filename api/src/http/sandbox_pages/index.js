// The overview: where everything listens, and the clock.

import { ask, find, make, onSend, spaced, values } from "./sandbox.js";

const named = (answer) => Object.entries(answer).map(([name, value]) => [spaced(name), value]);

async function showInfo() {
  const box = find("#info");
  try {
    box.replaceChildren(values(named(await ask("/sandbox/info"))));
  } catch (error) {
    box.replaceChildren(make("p", { className: "notice", textContent: error.message }));
  }
}

const form = find("#advance");

for (const button of form.querySelectorAll("[data-duration]")) {
  button.addEventListener("click", () => (form.elements.duration.value = button.dataset.duration));
}

onSend(form, find("#advanced"), async () => {
  const advance = form.elements.duration.value.trim().toUpperCase();
  const answer = await ask("/sandbox/clock", { advance });
  return [`Advanced by ${advance}`, values(named(answer))];
});

showInfo();
