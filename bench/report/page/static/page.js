"use strict";
/* What every part of the page needs: theme, sorting, families, unpacking, download. */
window.report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const listeners = { theme: [], families: [] };
  const tell = (what) => listeners[what].forEach((listener) => listener());

  async function unpacked(id) {
    const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).blob();
  }

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function setUpTheme() {
    const button = document.getElementById("theme");
    const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      label();
      tell("theme");
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { label(); tell("theme"); });
  }

  function sortKey(row, column) {
    const cell = row.cells[column];
    const text = cell?.dataset.sort ?? cell?.textContent.trim() ?? "";
    const value = Number(text);
    return text === "" || Number.isNaN(value) ? text : value;
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one).localeCompare(String(other));
  }

  function sortBy(table, heading, column) {
    const descending = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [sortKey(row, column), row]);
    const full = keyed.filter(([key]) => key !== "");
    full.sort(([one], [other]) => (descending ? -1 : 1) * compare(one, other));
    body.append(...full.map(([, row]) => row), ...keyed.filter(([key]) => key === "").map(([, row]) => row));
  }

  function setUpSorting() {
    for (const table of document.querySelectorAll("table.sortable")) {
      [...table.tHead.rows[table.tHead.rows.length - 1].cells].forEach((heading, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...heading.childNodes);
        heading.append(button);
        button.addEventListener("click", () => sortBy(table, heading, column));
      });
    }
  }

  function hiddenFamilies() {
    return new Set([...document.querySelectorAll("#families input:not(:checked)")].map((input) => input.value));
  }

  function setUpFamilies() {
    document.getElementById("families")?.addEventListener("change", () => {
      const hidden = hiddenFamilies();
      for (const one of document.querySelectorAll("[data-family]")) one.hidden = hidden.has(one.dataset.family);
      tell("families");
    });
  }

  function setUpDownload() {
    const button = document.getElementById("download");
    const state = document.getElementById("download-state");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await unpacked("raw"));
      link.download = "results.json";
      link.click();
      state.textContent = "results.json was handed to your browser.";
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
  }

  function openTarget() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const around = target && target.closest("details");
    if (around && !around.open) {
      around.open = true;
      target.scrollIntoView();
    }
    if (target && target.tabIndex === -1) target.focus();
  }

  setUpTheme();
  setUpSorting();
  setUpFamilies();
  setUpDownload();
  window.addEventListener("hashchange", openTarget);
  if (matchMedia("(max-width: 1000px)").matches) document.querySelector(".contents details").open = false;
  return { data, unpacked, hiddenFamilies, on: (what, listener) => listeners[what].push(listener) };
})();
