// What makes the console's pages more pleasant where scripts run. Every page works without it.

const announcer = document.getElementById("announcer");

// Times in the reader's own time zone, as the page's language writes them.
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
function localiseTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const instant = new Date(time.dateTime);
    if (Number.isNaN(instant.valueOf())) continue;
    time.textContent = clock.format(instant);
    time.title = exact.format(instant);
  }
}

// Menus close by Escape, by a click elsewhere, and when focus leaves them.
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu) return;
  const items = [...menu.querySelectorAll(".panel a, .panel button")];
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (step && items.length) {
    event.preventDefault();
    items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length].focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

// Pages that only ask something open over the page that leads to them.
async function openSheet(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const sheet = page.querySelector("[data-sheet]");
  if (!sheet || answer.redirected) {
    location.assign(answer.redirected ? answer.url : address);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", sheet.getAttribute("aria-labelledby"));
  dialog.append(document.adoptNode(sheet));
  localiseTimes(dialog);
  document.body.append(dialog);
  const opener = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    // The row may have been replaced in the meantime; its menu then has the same place.
    (opener?.isConnected ? opener.closest("details")?.querySelector("summary") ?? opener : null)?.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-cancel]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.showModal();
}
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const menu = link.closest("details");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  openSheet(link.href);
});
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.hasAttribute("data-dialog-form")) {
    event.preventDefault();
    openSheet(`${event.target.action}?${new URLSearchParams(new FormData(event.target))}`);
    return;
  }
  // A form that changes something is sent once, however often it is clicked; the page that answers is another.
  if (event.target.method === "post") {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  }
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Ticking rows: all at once, a stretch with Shift, and a button only for what is ticked.
let lastTick = null;
function showTicks() {
  const boxes = [...document.querySelectorAll("tbody .tick input")];
  const ticked = boxes.filter((box) => box.checked).length;
  for (const all of document.querySelectorAll("[data-tick-all]")) {
    all.hidden = boxes.length === 0;
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  for (const button of document.querySelectorAll("[data-bulk]")) button.disabled = ticked === 0;
}
document.addEventListener("click", (event) => {
  const box = event.target;
  if (box.matches?.("[data-tick-all]")) {
    for (const each of document.querySelectorAll("tbody .tick input")) each.checked = box.checked;
  } else if (box.matches?.("tbody .tick input")) {
    const boxes = [...document.querySelectorAll("tbody .tick input")];
    const [from, to] = [boxes.indexOf(lastTick), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
    lastTick = box;
  } else {
    return;
  }
  showTicks();
});

// Live rows: something changed, so the page asks for itself and takes over what differs, part by part. What did not change
// is not touched: focus, ticks, open menus and the place on the page stay.
// A form with a field called "id" hides its own id from scripts, so it is read as an attribute.
const idOf = (node) => node.getAttribute("id");
const keeps = (part) => part.querySelector("details[open]") !== null || part.querySelector("input:checked") !== null;
function takeOver(present, wanted) {
  const key = (node) => idOf(node) || node.nodeName;
  if (present.isEqualNode(wanted)) return;
  const simple = !present.querySelector("[id]") && !wanted.querySelector("[id]");
  if (present.nodeName !== wanted.nodeName || simple) {
    if (keeps(present) && idOf(present)) {
      // An open menu or a tick stays; the cells around it are taken over one by one.
      const [before, after] = [[...present.children], [...wanted.children]];
      if (before.length === after.length) {
        before.forEach((cell, index) => {
          if (!keeps(cell) && !cell.isEqualNode(after[index])) cell.replaceWith(after[index].cloneNode(true));
        });
        return;
      }
    }
    const focused = present.contains(document.activeElement) ? document.activeElement : null;
    const path = focused && pathTo(focused, present);
    const fresh = wanted.cloneNode(true);
    present.replaceWith(fresh);
    if (path) (path.reduce((node, index) => node?.children[index], fresh) ?? fresh.querySelector("a, summary, button"))?.focus();
    return;
  }
  for (const { name, value } of wanted.attributes) if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  for (const { name } of [...present.attributes]) if (!wanted.hasAttribute(name)) present.removeAttribute(name);
  const known = new Map();
  for (const child of [...present.children]) known.set(`${key(child)}#${[...known.keys()].filter((k) => k.startsWith(`${key(child)}#`)).length}`, child);
  const seen = new Map();
  let place = null;
  for (const child of [...wanted.children]) {
    const count = seen.get(key(child)) ?? 0;
    seen.set(key(child), count + 1);
    const name = `${key(child)}#${count}`;
    const match = known.get(name);
    known.delete(name);
    if (match) {
      const next = place ? place.nextElementSibling : present.firstElementChild;
      if (next !== match) present.insertBefore(match, next);
      const position = [...present.children].indexOf(match);
      takeOver(match, child);
      place = present.children[position];
    } else {
      const fresh = child.cloneNode(true);
      present.insertBefore(fresh, place ? place.nextElementSibling : present.firstElementChild);
      place = fresh;
    }
  }
  for (const gone of known.values()) gone.remove();
}
function pathTo(node, root) {
  const path = [];
  for (let at = node; at !== root; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}
function badges(root) {
  return new Map([...root.querySelectorAll("tr[id]")].map((row) => [row.id, [row.querySelector("th")?.innerText.trim(), row.querySelector(".badge")?.innerText.trim()]]));
}

let asking = false;
let askAgain = false;
async function refresh() {
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.assign(answer.url);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    localiseTimes(page);
    for (const region of document.querySelectorAll("[data-live]")) {
      const wanted = page.getElementById(idOf(region));
      if (!wanted) continue;
      const before = badges(region);
      takeOver(region, wanted);
      announce(before, badges(document.getElementById(idOf(region))));
    }
    showTicks();
  } finally {
    asking = false;
    if (askAgain) {
      askAgain = false;
      refresh();
    }
  }
}
// Says which rows have another state now, in the row's own words.
function announce(before, after) {
  const changes = [...after].filter(([id, [, state]]) => state && before.get(id)?.[1] !== state);
  if (changes.length) announcer.textContent = changes.slice(0, 5).map(([, [name, state]]) => `${name?.split("\n")[0]}: ${state}`).join(". ");
}
const isBusy = () => document.querySelector("[data-live][data-busy]") !== null;

const events = document.body.dataset.events;
if (events && document.querySelector("[data-live]")) {
  let pending = 0;
  const soon = () => {
    clearTimeout(pending);
    pending = setTimeout(refresh, 80);
  };
  const source = new EventSource(events);
  source.addEventListener("change", soon);
  source.addEventListener("reload", soon);
  // Progress is not an event: as long as something is on its way, the page looks every second.
  setInterval(() => {
    if (isBusy() && !document.hidden) refresh();
  }, 1000);
  addEventListener("pagehide", () => source.close());
}

localiseTimes(document);
showTicks();
// On a narrow page the tabs scroll: the present one is in sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
