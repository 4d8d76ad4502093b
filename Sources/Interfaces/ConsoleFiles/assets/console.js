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
// A form with a file says how far its sending is, and can be stopped. The server's short answer names the next page; a longer
// one is the form again, with what is wrong: it takes the present one's place, and the chosen file stays chosen.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-upload]") || event.defaultPrevented) return;
  event.preventDefault();
  const sending = form.querySelector("[data-sending]");
  const broken = form.querySelector("[data-broken]");
  const bar = sending.querySelector("progress");
  const share = sending.querySelector("[data-share]");
  const percent = new Intl.NumberFormat(language, { style: "percent" });
  const request = new XMLHttpRequest();
  const show = (part) => {
    bar.value = part;
    share.textContent = percent.format(part);
  };
  const settle = (isBroken) => {
    sending.hidden = true;
    broken.hidden = !isBroken;
    delete form.dataset.sent;
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => show(total ? loaded / total : 0));
  request.addEventListener("load", () => {
    const next = request.status === 201 && request.getResponseHeader("Location");
    if (next) return location.assign(next);
    settle(false);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const sheet = page.querySelector("[data-sheet]");
    const fresh = sheet ?? page.querySelector(".problem");
    if (!fresh) return location.assign(request.responseURL);
    document.adoptNode(fresh);
    if (sheet) {
      const files = [...form.elements].find((field) => field.type === "file");
      const field = [...sheet.querySelectorAll("input[type=file]")].find(({ name }) => name === files?.name);
      if (field) field.files = files.files;
      form.closest("[data-sheet]").replaceWith(sheet);
    } else {
      form.before(fresh);
    }
    (sheet?.querySelector("[aria-invalid]") ?? fresh).scrollIntoView({ block: "center" });
    sheet?.querySelector("[aria-invalid]")?.focus();
  });
  request.addEventListener("error", () => settle(true));
  request.addEventListener("abort", () => settle(false));
  sending.querySelector("[data-stop]").onclick = () => request.abort();
  broken.hidden = true;
  sending.hidden = false;
  show(0);
  request.open("POST", form.action);
  request.setRequestHeader("Prefer", "return=minimal");
  request.send(new FormData(form));
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
    if (path) {
      const target = path.reduce((node, index) => node?.children[index], fresh) ?? fresh.querySelector("a, summary, button");
      (target ?? document.getElementById("main")).focus();
    }
    return;
  }
  for (const { name, value } of wanted.attributes) if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  for (const { name } of [...present.attributes]) if (!wanted.hasAttribute(name)) present.removeAttribute(name);
  const [known, next] = [named(present), named(wanted)];
  // What is gone goes first, so that what stays is not moved: an element that is moved loses the focus.
  for (const [name, gone] of known) if (!next.has(name)) leave(gone);
  let place = null;
  for (const [name, child] of next) {
    const match = known.get(name);
    const following = place ? place.nextElementSibling : present.firstElementChild;
    if (match) {
      if (following !== match) present.insertBefore(match, following);
      const position = [...present.children].indexOf(match);
      takeOver(match, child);
      place = present.children[position];
    } else {
      const fresh = child.cloneNode(true);
      present.insertBefore(fresh, following);
      place = fresh;
    }
  }
}
// The children by what tells them from each other: their id, or else which of their kind they are.
function named(parent) {
  const counts = new Map();
  return new Map([...parent.children].map((child) => {
    const key = idOf(child) || child.nodeName;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return [`${key}#${counts.get(key)}`, child];
  }));
}
// Takes a part away; if the focus was in it, it goes on beside it.
function leave(gone) {
  const hadFocus = gone.contains(document.activeElement);
  const beside = gone.nextElementSibling ?? gone.previousElementSibling;
  gone.remove();
  if (hadFocus) (beside?.querySelector("summary, a, button, input") ?? document.getElementById("main")).focus();
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
    // While the service is away the page stays as it is; the stream tells when it is back.
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer) return;
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
  // What changed between the page and the stream, or while the service was away before any event had come, is not told.
  source.addEventListener("open", soon);
  // Progress is not an event: as long as something is on its way, the page looks every second.
  setInterval(() => {
    if (isBusy() && !document.hidden) refresh();
  }, 1000);
  addEventListener("pagehide", () => source.close());
}

// The serial console goes on by itself while its end is in sight; who scrolls up reads in peace.
const terminal = document.querySelector("[data-console]");
if (terminal) {
  const most = 1_000_000;
  const following = document.getElementById("following");
  const isAtEnd = () => terminal.scrollHeight - terminal.scrollTop - terminal.clientHeight < 24;
  let { offset } = terminal.dataset;
  let reading = false;
  const showFollowing = () => {
    const text = isAtEnd() ? following.dataset.on : following.dataset.off;
    if (following.textContent !== text) following.textContent = text;
    following.hidden = false;
  };
  const read = async () => {
    showFollowing();
    if (reading || document.hidden || !isAtEnd()) return;
    reading = true;
    try {
      const answer = await fetch(`${terminal.dataset.console}?offset=${offset}`);
      if (answer.redirected) location.reload();
      if (!answer.ok) return;
      const text = await answer.text();
      offset = answer.headers.get("X-Next-Offset") ?? offset;
      if (!text) return;
      document.getElementById("silent")?.remove();
      const follows = isAtEnd();
      terminal.append(text);
      while (follows && terminal.textContent.length > most && terminal.childNodes.length > 1) terminal.firstChild.remove();
      if (follows) terminal.scrollTop = terminal.scrollHeight;
    } catch {
      // The service does not answer for now; the next time it may.
    } finally {
      reading = false;
    }
  };
  terminal.scrollTop = terminal.scrollHeight;
  terminal.addEventListener("scroll", showFollowing);
  read();
  setInterval(read, 1000);
}

// The screen: a new picture takes the old one's place when it is there whole.
setInterval(() => {
  const screen = document.querySelector("img[data-screen]");
  if (!screen || document.hidden) return;
  const next = screen.cloneNode();
  next.addEventListener("load", () => screen.replaceWith(next));
  next.src = `${screen.getAttribute("src").split("?")[0]}?at=${Date.now()}`;
}, 3000);

// What will be created, while it is typed; and no sizes where none are asked for.
const names = document.querySelector("[data-names]");
if (names) {
  const form = document.querySelector(".creation form");
  const { name, count, cpuCount, memoryInMB, computeOfferingId } = form.elements;
  const unnamed = names.dataset.names;
  form.addEventListener("input", () => {
    const base = name.value.trim();
    names.textContent = base ? (count.value > 1 ? `${base}-1 … ${base}-${count.value}` : base) : unnamed;
  });
  const show = () => {
    cpuCount.disabled = memoryInMB.disabled = computeOfferingId.value !== "custom";
  };
  form.addEventListener("change", show);
  addEventListener("pageshow", show);
}

// A secret is copied by a button; without a script, or where a browser forbids it, it is marked by a click on it.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    announcer.textContent = button.dataset.copied;
    button.firstChild.textContent = button.dataset.copied;
  });
}

localiseTimes(document);
showTicks();
// On a narrow page the tabs scroll: the present one is in sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
