// Small helps on top of pages that work without them. Strict CSP: no inline handlers,
// no styles written here; state is shown by attributes and classes only.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const byId = (id) => document.getElementById(id);

/** A failed form: read its mistakes first. */
function focusMistakes() {
  document.querySelector("[data-focus]")?.focus();
}

/** <details data-dialog> becomes a modal dialog; what is inside stays the same element. */
function makeDialogs(root) {
  for (const details of all("details[data-dialog]", root)) {
    if (details.dataset.ready || typeof HTMLDialogElement === "undefined") continue;
    details.dataset.ready = "yes";

    const body = details.querySelector(".sheet__body");
    const summary = details.querySelector("summary");
    const dialog = document.createElement("dialog");
    const close = document.createElement("button");
    const wasOpen = details.open;
    dialog.className = "modal";
    dialog.setAttribute("aria-labelledby", `${details.id}-title`);
    close.type = "button";
    close.className = "button button--quiet modal__close";
    close.textContent = details.dataset.close;
    close.addEventListener("click", () => dialog.close());
    dialog.append(body, close);
    details.after(dialog);
    details.open = false;

    summary.setAttribute("aria-haspopup", "dialog");
    summary.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.showModal();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && !dialog.querySelector("[data-unsaved]")) dialog.close();
    });
    dialog.addEventListener("close", () => summary.focus());
    if (wasOpen) dialog.showModal();
  }
}

/** Menus close on Escape and when one goes elsewhere. */
function watchMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of all("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

/** One more, one less. */
function makeSteppers(root) {
  for (const button of all("button[data-step]", root)) {
    if (!button.hidden) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      const input = byId(button.dataset.for);
      const now = Number.parseInt(input.value || input.min || "0", 10) || 0;
      let next = now + Number(button.dataset.step);
      if (input.min !== "") next = Math.max(next, Number(input.min));
      if (input.max !== "") next = Math.min(next, Number(input.max));
      input.value = String(next);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

/** A block with data-when="name=a|b" shows only while that answer is given. */
function followAnswers(root) {
  for (const block of all("[data-when]", root)) {
    const form = block.closest("form");
    if (!form || block.dataset.ready) continue;
    block.dataset.ready = "yes";
    const [name, wanted] = block.dataset.when.split("=");
    const values = wanted.split("|");
    const show = () => {
      block.hidden = !new FormData(form).getAll(name).some((value) => values.includes(value));
    };
    form.addEventListener("change", show);
    show();
  }
}

/** Filters apply by themselves; their button is then not needed. Folded filters (on a
    phone) wait for it: one sets several before looking. */
function makeFilters(root) {
  for (const form of all("form[data-autosubmit]", root)) {
    if (form.dataset.ready) continue;
    form.dataset.ready = "yes";
    if (isSmall() && form.querySelector("details[data-fold]")) continue;
    for (const button of all("[data-autosubmit-button]", form)) button.hidden = true;
    let soon;
    form.addEventListener("change", () => {
      clearTimeout(soon);
      soon = setTimeout(() => form.requestSubmit(), 400);
    });
  }
}

function isSmall() {
  return matchMedia("(max-width: 61.99rem)").matches;
}

/** On a small screen long filters start folded. */
function foldOnPhones(root) {
  if (!isSmall()) return;
  for (const details of all("details[data-fold]", root)) {
    if (!details.dataset.ready) details.open = false;
    details.dataset.ready = "yes";
  }
}

function makeCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of all("button[data-copy]", root)) {
    if (!button.hidden) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.querySelector("span");
      const before = words.textContent;
      words.textContent = button.dataset.copied;
      setTimeout(() => { words.textContent = before; }, 2500);
    });
  }
}

function makePrintButtons(root) {
  for (const button of all("button[data-print]", root)) {
    button.hidden = false;
    button.onclick = () => window.print();
  }
}

/** Ask before a serious step; send a form once; warn before losing what was typed. */
function guardForms() {
  let changed = false;
  document.addEventListener("input", (event) => {
    if (event.target.closest("form[data-unsaved]")) changed = true;
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      return;
    }
    changed = false;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    event.submitter?.classList.add("is-busy");
  });
  window.addEventListener("pageshow", () => {
    for (const form of all("form[data-sent]")) delete form.dataset.sent;
    for (const button of all(".is-busy")) button.classList.remove("is-busy");
  });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}

function dress(root) {
  makeDialogs(root);
  makeSteppers(root);
  followAnswers(root);
  makeFilters(root);
  foldOnPhones(root);
  makeCopyButtons(root);
  makePrintButtons(root);
}

watchMenus();
guardForms();
dress(document);
focusMistakes();
document.addEventListener("htmx:load", (event) => dress(event.target.parentElement ?? document));
