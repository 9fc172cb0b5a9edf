/* The results of the calculator: verdict, table and advice follow the form, and the map comes after them. */
"use strict";
(() => {
  const { limits, marks } = decideData;
  const { say, text, join, whole, figure } = decideSentences;
  const { byId, element } = decidePage;

  const milliseconds = (seconds) => (seconds === null ? marks.endless : figure(seconds * 1e3));
  const toBest = (row) => (row.to_best ? text(say("ratio", row.to_best)) : row.rank === 1 ? marks.best : "");

  function cells(row) {
    const found = row.prediction;
    return [
      row.rank ?? marks.unranked,
      figure(found.capacity_rps),
      figure(found.per_core_rps),
      toBest(row),
      limits[found.limit],
      whole(found.processes),
      figure(found.memory_bytes / 1e6) + (found.fits ? "" : marks.exceeded),
      whole(found.connections),
      milliseconds(found.p50_s),
      milliseconds(found.p99_s) + (found.keeps_slo ? "" : marks.exceeded),
    ];
  }

  function line(row) {
    const found = element("tr");
    found.append(element("th", row.prediction.model, { scope: "row" }), ...cells(row).map((words) => element("td", words)));
    return found;
  }

  const code = byId("advice").firstElementChild;

  /* Nothing that was predicted from other figures is shown beside a figure that cannot be used. */
  function show() {
    let values;
    decideForm.tidy();
    try {
      values = decideForm.read();
    } catch (problem) {
      byId("verdict").textContent = problem.message;
      byId("table").tBodies[0].replaceChildren();
      byId("results").hidden = true;
      return;
    }
    byId("results").hidden = false;
    const demand = decideFigures.demandOf(values);
    const decision = decideRank.decide(demand);
    byId("verdict").textContent = join(decision.verdict.sentences);
    byId("table").tBodies[0].replaceChildren(...decision.rows.map(line));
    byId("without-calls").hidden = !demand.calls;
    byId("notes").textContent = join(decideAdvice.notes(decision, demand));
    byId("advice").replaceChildren(code, ...decideAdvice.advice(decision, demand).map((one) => element("li", text(one))));
    decideMap.drawSoon(values);
    return values;
  }

  /* After a change the address says what the form does, and leads to this part of the page. */
  function change() {
    const values = show();
    if (!values) return;
    const address = decideForm.keep(values, new URL(location.href));
    address.hash = "decide";
    history.replaceState(null, "", address);
  }

  decideForm.connect(change);
  decideForm.restore(new URLSearchParams(location.search));
  decideMap.connect((...chosen) => {
    decideForm.take(...chosen);
    change();
  }, show);
  show();
})();
