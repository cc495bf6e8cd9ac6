// The archived page is on an origin of its own, and nobody tells this one where it went. What the browser tells is that the
// frame has loaded again, and, before it loads, that it goes to another address than the policy of this page names: then
// what stands above it may not be true any more, and that is said.
"use strict";

let loads = 0;
const say = () => { document.getElementById("followed").hidden = false; };
document.addEventListener("load", event => {
  if (event.target.id === "archived" && ++loads > 1) say();
}, true);
document.addEventListener("securitypolicyviolation", event => {
  if (event.effectiveDirective === "frame-src") say();
});
