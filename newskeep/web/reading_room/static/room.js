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
