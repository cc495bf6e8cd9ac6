// The archived page is on an origin of its own, and nobody tells this one where it went. What the browser tells is that the
// frame has loaded again: then what stands above it may not be true any more, and that is said.
"use strict";

let loads = 0;
document.addEventListener("load", event => {
  if (event.target.id === "archived" && ++loads > 1) {
    document.getElementById("followed").hidden = false;
  }
}, true);
