/* The form, the table and the map of the calculator. */
"use strict";
(() => {
  const { D, known, decide, advice, demandOf, figure, whole } = benchDecide;
  const WAITS_MS = [0, 5, 10, 20, 35, 50, 75, 100, 125, 150, 200];
  const IN_FLIGHT = [5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 1];
  const LOADS = ["concurrency", "rate"];
  const SLIDER_STEPS = 1000;
  const byId = (id) => document.getElementById(`decide-${id}`);
  const element = (name, text = "", properties = {}) =>
    Object.assign(document.createElement(name), { textContent: text }, properties);
  const milliseconds = (seconds) => (seconds === null ? "∞" : figure(seconds * 1e3));

  /* Sliders are finer where figures are small. */
  const fromSlider = (one, step) => {
    const value = one.low + (one.usual - one.low) * (step / SLIDER_STEPS) ** 2;
    const least = one.above ? one.usual / SLIDER_STEPS : one.low;
    return one.whole ? Math.round(value) : Math.max(least, Number(value.toPrecision(3)));
  };
  const toSlider = (one, value) =>
    Math.round(SLIDER_STEPS * Math.sqrt(Math.min(1, Math.max(0, (value - one.low) / (one.usual - one.low)))));

  const chosenLoad = () => document.querySelector('input[name="decide-load"]:checked').value;

  function read() {
    const values = {};
    for (const one of D.figures) {
      if (LOADS.includes(one.name) && one.name !== chosenLoad()) continue;
      const input = byId(one.name);
      const value = input.valueAsNumber;
      const right = input.validity.valid && (!one.above || value > one.low);
      input.setAttribute("aria-invalid", String(!right));
      if (!right) {
        const least = one.above ? `more than ${whole(one.low)}` : `${whole(one.low)}`;
        throw new RangeError(`${one.question}: ${least} to ${whole(one.high)}${one.whole ? ", a whole number" : ""}.`);
      }
      values[one.name] = value;
    }
    for (const fact of D.facts) values[fact] = byId(fact).checked;
    return values;
  }

  function showTable(decision) {
    const cells = ({ prediction: found, rank, to_best: ratio }) => [
      rank ?? "–",
      figure(found.capacity_rps),
      figure(found.per_core_rps),
      ratio ? `${ratio.ratio.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})` : rank === 1 ? "best" : "",
      D.limits[found.limit],
      whole(found.processes),
      figure(found.memory_bytes / 1e6) + (found.fits ? "" : " !"),
      whole(found.connections),
      milliseconds(found.p50_s),
      milliseconds(found.p99_s) + (found.keeps_slo ? "" : " !"),
    ];
    byId("table").tBodies[0].replaceChildren(
      ...decision.rows.map((row) => {
        const line = element("tr");
        line.append(element("th", row.prediction.model, { scope: "row" }), ...cells(row).map((text) => element("td", text)));
        return line;
      }),
    );
    byId("margin").textContent = `${Math.round((decision.margin - 1) * 100)} %`;
  }

  const code = byId("advice").firstElementChild;

  function show() {
    let values;
    try {
      values = read();
    } catch (problem) {
      byId("verdict").textContent = problem.message;
      return;
    }
    const demand = demandOf(values);
    const decision = decide(demand);
    byId("verdict").textContent = decision.verdict.sentence;
    showTable(decision);
    byId("advice").replaceChildren(code, ...advice(decision, demand).map((text) => element("li", text)));
    for (const one of D.figures) {
      const slider = byId(`${one.name}-slider`);
      slider.setAttribute("aria-valuetext", byId(one.name).value);
      for (const input of [slider, byId(one.name)]) {
        input.disabled = LOADS.includes(one.name) && one.name !== chosenLoad();
      }
    }
    byId("map").setAttribute("aria-busy", "true");
    clearTimeout(mapTimer);
    mapTimer = setTimeout(() => drawMap(values), 150);
  }

  /* The map */

  let mapTimer = 0;
  let mapped = 0;
  const NOBODY = "no difference";
  const several = (app) => `several of ${app}`;

  function labelOf(decision) {
    const best = decision.rows.filter((row) => row.rank === 1).map((row) => row.prediction.model);
    if (best.length === 1) return { label: best[0], best };
    const apps = new Set(best.map((name) => known.get(name).app));
    return { label: apps.size === 1 ? several([...apps][0]) : NOBODY, best };
  }

  function colours(labels) {
    const sorted = [...labels].sort((one, other) => (one === NOBODY) - (other === NOBODY) || one.localeCompare(other));
    const named = sorted.filter((label) => label !== NOBODY);
    return new Map(
      sorted.map((label) => {
        const index = named.indexOf(label);
        const colour = index < 0 ? "#d5d5d5" : `hsl(${Math.round((index * 360) / named.length + 25)} 65% 76%)`;
        return [label, { colour, sign: index < 0 ? "=" : String.fromCharCode(65 + index) }];
      }),
    );
  }

  function fieldOf(values, waitName, wait, count) {
    const described = { ...values, rate: undefined, concurrency: count, [waitName]: wait };
    if (waitName === "db_wait_ms") described.queries = Math.max(1, values.queries);
    const decision = decide(demandOf(described), (model) => model.flask);
    const rate = decision.rows.length ? decision.rows[0].prediction.capacity_rps : 0;
    return { wait, count, rate, ...labelOf(decision) };
  }

  async function drawMap(values) {
    const turn = ++mapped;
    if (!D.models.some((model) => model.rounds.length >= D.min_rounds)) {
      byId("map-text").textContent = `Too few rounds for a map: it takes ${D.min_rounds}.`;
      byId("map").hidden = true;
      byId("map").setAttribute("aria-busy", "false");
      return;
    }
    const waitName = byId("map-wait").value;
    const rows = [];
    for (const count of IN_FLIGHT) {
      rows.push(WAITS_MS.map((wait) => fieldOf(values, waitName, wait, count)));
      await new Promise((resume) => setTimeout(resume));
      if (turn !== mapped) return;
    }
    const labels = colours(new Set(rows.flat().map((field) => field.label)));
    const focused = byId("map").contains(document.activeElement) ? document.activeElement.dataset.at : null;
    byId("map").replaceChildren(heading(), ...rows.map((fields, row) => line(fields, row, labels)));
    const start = byId("map").querySelector(focused ? `[data-at="${focused}"]` : "td");
    start.tabIndex = 0;
    if (focused) start.focus();
    byId("map-text").textContent = described(rows.flat(), labels);
    byId("key").replaceChildren(...[...labels].map(([label, look]) => keyEntry(label, look)));
    byId("map").setAttribute("aria-busy", "false");
  }

  function heading() {
    const line = element("tr");
    const corner = element("th", "at once", { scope: "col" });
    line.append(corner, ...WAITS_MS.map((wait) => element("th", `${wait} ms`, { scope: "col" })));
    return line;
  }

  function line(fields, row, labels) {
    const found = element("tr");
    found.append(element("th", whole(fields[0].count), { scope: "row" }));
    fields.forEach((field, column) => {
      const { colour, sign } = labels.get(field.label);
      const cell = element("td", sign, { tabIndex: -1, title: sentence(field) });
      cell.style.backgroundColor = colour;
      cell.dataset.at = `${row},${column}`;
      cell.dataset.label = field.label;
      cell.dataset.wait = field.wait;
      cell.dataset.count = field.count;
      cell.append(element("span", ` ${field.label}`, { className: "spoken" }));
      found.append(cell);
    });
    return found;
  }

  const sentence = (field) =>
    `${field.wait} ms, ${whole(field.count)} at once: ${field.label}` +
    `${field.best.length > 1 ? ` (${field.best.join(", ")})` : ""}, about ${figure(field.rate)}/s`;

  function described(fields, labels) {
    const parts = [...labels.keys()].map((label) => {
      const mine = fields.filter((field) => field.label === label);
      const waits = mine.map((field) => field.wait), counts = mine.map((field) => field.count);
      const range = (values) => [...new Set([Math.min(...values), Math.max(...values)])].map(whole).join(" to ");
      return `${label} in ${mine.length} of ${fields.length} fields (${range(waits)} ms, ${range(counts)} at once)`;
    });
    return `In words: ${parts.join("; ")}.`;
  }

  function keyEntry(label, { colour, sign }) {
    const entry = element("li");
    const field = element("span", sign);
    field.style.backgroundColor = colour;
    entry.append(field, ` ${label}`);
    return entry;
  }

  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function onMapKey(event) {
    const cell = event.target.closest("td");
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      takeOver(cell);
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

  function takeOver(cell) {
    set(byId("map-wait").value, cell.dataset.wait);
    set("concurrency", cell.dataset.count);
    if (byId("map-wait").value === "db_wait_ms" && byId("queries").value === "0") set("queries", 1);
    document.querySelector('input[name="decide-load"][value="concurrency"]').checked = true;
    show();
  }

  function set(name, value) {
    byId(name).value = value;
    byId(`${name}-slider`).value = toSlider(D.figures.find((one) => one.name === name), Number(value));
  }

  for (const one of D.figures) {
    const [input, slider] = [byId(one.name), byId(`${one.name}-slider`)];
    set(one.name, one.default);
    slider.addEventListener("input", () => {
      input.value = fromSlider(one, slider.valueAsNumber);
    });
    input.addEventListener("input", () => {
      slider.value = toSlider(one, input.valueAsNumber || 0);
    });
  }
  let pending = 0;
  byId("form").addEventListener("input", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(show);
  });
  byId("form").addEventListener("submit", (event) => event.preventDefault());
  byId("map-wait").addEventListener("change", show);
  byId("map").addEventListener("keydown", onMapKey);
  byId("map").addEventListener("click", (event) => event.target.closest("td") && focusOn(event.target.closest("td")));
  byId("map").addEventListener("focusin", (event) => {
    byId("map-status").textContent = event.target.title ?? "";
  });
  show();
})();
