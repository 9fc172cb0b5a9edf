/* The map of the calculator: drawn after every change, walked with arrow keys, and folded where there is nothing to see. */
"use strict";
const decideMap = (() => {
  const { say, text, whole } = decideSentences;
  const { WAITS_MS, IN_FLIGHT, NO_DIFFERENCE, rowOf, labelsOf, fieldText, inWords } = decideCrossover;
  const { byId, element } = decidePage;
  const PAUSE_MS = 150;
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const enough = decideData.models.some((model) => model.generations.length >= decideData.fewest_generations);
  let timer = 0;
  let turn = 0;

  /* Once the figures have rested for a moment. */
  function drawSoon(values) {
    byId("map").setAttribute("aria-busy", "true");
    clearTimeout(timer);
    timer = setTimeout(() => draw(values), PAUSE_MS);
  }

  async function draw(values) {
    const mine = ++turn;
    const rows = [];
    for (const count of enough ? IN_FLIGHT : []) {
      rows.push(rowOf(values, byId("map-wait").value, count));
      await new Promise((resume) => setTimeout(resume));
      if (mine !== turn) return;
    }
    const fields = rows.flat();
    byId("map-text").textContent = enough
      ? inWords(fields)
      : text(say("map_too_few_generations", { generations: decideData.fewest_generations }));
    const labels = labelsOf(fields);
    byId("map-picture").hidden = labels.length < 2;
    show(rows, looks(labels));
    byId("map").setAttribute("aria-busy", "false");
  }

  function show(rows, labels) {
    const focused = byId("map").contains(document.activeElement) ? document.activeElement.dataset.at : null;
    byId("map").replaceChildren(heading(), ...rows.map((fields, row) => line(fields, row, labels)));
    byId("key").replaceChildren(...[...labels].map(([label, look]) => keyEntry(label, look)));
    const start = byId("map").querySelector(focused ? `[data-at="${focused}"]` : "td");
    if (start) start.tabIndex = 0;
    if (start && focused) start.focus();
  }

  /* A colour for each label and a letter, for those who do not see the colour. */
  function looks(labels) {
    const named = labels.filter((label) => label !== NO_DIFFERENCE);
    return new Map(
      labels.map((label) => {
        const index = named.indexOf(label);
        const colour = index < 0 ? "#d5d5d5" : `hsl(${Math.round((index * 360) / named.length + 25)} 65% 76%)`;
        return [label, { colour, sign: index < 0 ? "=" : String.fromCharCode(65 + index) }];
      }),
    );
  }

  function heading() {
    const found = element("tr");
    const waits = WAITS_MS.map((wait) => text(say("map_wait", { wait })));
    found.append(...[text(say("map_corner")), ...waits].map((words) => element("th", words, { scope: "col" })));
    return found;
  }

  function line(fields, row, labels) {
    const found = element("tr");
    found.append(element("th", whole(fields[0].count), { scope: "row" }));
    fields.forEach((field, column) => {
      const { colour, sign } = labels.get(field.label);
      const cell = element("td", sign, { tabIndex: -1, title: fieldText(field) });
      cell.style.backgroundColor = colour;
      Object.assign(cell.dataset, { at: `${row},${column}`, label: field.label, wait: field.wait, count: field.count });
      cell.append(element("span", ` ${field.label}`, { className: "spoken" }));
      found.append(cell);
    });
    return found;
  }

  function keyEntry(label, { colour, sign }) {
    const entry = element("li");
    const field = element("span", sign);
    field.style.backgroundColor = colour;
    entry.append(field, ` ${label}`);
    return entry;
  }

  function onKey(event, take) {
    const cell = event.target.closest("td");
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      take(byId("map-wait").value, cell.dataset.wait, cell.dataset.count);
    }
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const [row, column] = cell.dataset.at.split(",").map(Number);
    const next = byId("map").querySelector(`[data-at="${row + move[0]},${column + move[1]}"]`);
    if (next) focusOn(next);
  }

  function focusOn(cell) {
    for (const other of byId("map").querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  }

  /* `take` gets the wait's name, the wait and the count of a field that is chosen; `redraw` is for another wait. */
  function connect(take, redraw) {
    byId("map-wait").addEventListener("change", redraw);
    byId("map").addEventListener("keydown", (event) => onKey(event, take));
    byId("map").addEventListener("click", (event) => event.target.closest("td") && focusOn(event.target.closest("td")));
    byId("map").addEventListener("focusin", (event) => {
      byId("map-status").textContent = event.target.title ?? "";
    });
  }

  return { connect, drawSoon };
})();
