// What pages do beside what HTML does by itself: checking as one types, progress that renews itself, keys. All works without.
"use strict";
(() => {
  const all = (what, from = document) => Array.from(from.querySelectorAll(what));

  // A form is sent once: a second click while the answer is on its way does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => all("button", form).forEach((one) => { one.disabled = true; }), 0);
    setTimeout(() => { delete form.dataset.sent; all("button", form).forEach((one) => { one.disabled = false; }); }, 8000);
  });
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    all("button", form).forEach((one) => { one.disabled = false; });
  }));

  // <select data-go>: choosing sends the form that it is in.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-go]")) event.target.form.requestSubmit();
  });

  // A part of a page from the server, by the id that it has in both.
  const renew = async (part, address, body) => {
    const answer = await fetch(address, {
      method: body ? "POST" : "GET", body, headers: { "X-Part": part.id }, credentials: "same-origin", redirect: "error",
    });
    if (!answer.ok) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
    const now = document.getElementById(part.id);
    if (!fresh || !now) return false;
    if (fresh.innerHTML !== now.innerHTML) now.replaceWith(document.adoptNode(fresh));
    return true;
  };

  // <form data-check="/address" data-into="id">: half a second after the last key the server checks what stands there.
  all("form[data-check]").forEach((form) => {
    let later = 0, running = false, again = false;
    const check = async () => {
      if (running) { again = true; return; }
      running = true;
      const part = document.getElementById(form.dataset.into);
      try { if (part) await renew(part, form.dataset.check, new URLSearchParams(new FormData(form))); } catch { /* the server checks again when it is sent */ }
      running = false;
      if (again) { again = false; check(); }
    };
    form.addEventListener("input", () => { clearTimeout(later); later = setTimeout(check, 500); });
  });

  // <section id data-renew="3">: this part of the page is fetched again each three seconds while it is looked at.
  const watch = (id) => {
    const part = document.getElementById(id);
    if (!part || !part.dataset.renew) return;
    setTimeout(async () => {
      if (!document.hidden) try { await renew(part, part.dataset.from || location.href); } catch { /* next time */ }
      watch(id);
    }, Math.max(1, Number(part.dataset.renew)) * 1000);
  };
  all("[data-renew][id]").forEach((part) => watch(part.id));

  // <button data-copy="text">
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done || "✓";
    } catch { /* nothing is lost: the text stands beside it */ }
  });

  // Keys: / search, j and k along the rows of a list, Enter opens, ? tells the keys.
  const typing = (place) => place.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const rows = all("table.list tbody tr").filter((row) => row.querySelector("a"));
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const go = (to) => {
      if (!rows[to]) return;
      rows.forEach((row) => delete row.dataset.here);
      rows[to].dataset.here = "1";
      rows[to].querySelector("a").focus();
      event.preventDefault();
    };
    if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) { search.focus(); event.preventDefault(); }
    } else if (event.key === "j") go(at + 1);
    else if (event.key === "k") go(at < 0 ? rows.length - 1 : at - 1);
    else if (event.key === "?") {
      // It stands in the menu of a narrow screen and beside the page of a wide one: the one that is seen.
      const help = all("details.keys").find((one) => one.getClientRects().length);
      if (help) { help.open = !help.open; help.querySelector("summary").focus(); event.preventDefault(); }
    }
  });
})();
