/* The form of the calculator: numbers and sliders that move each other, the figures that they give, and an address. */
"use strict";
const decideForm = (() => {
  const { figures, facts, choices } = decideData;
  const { say, text } = decideSentences;
  const { byId } = decidePage;
  const LOADS = ["concurrency", "rate"];
  const SLIDER_STEPS = 1000;

  /* Sliders are finer where figures are small. */
  const fromSlider = (one, step) => {
    const value = one.low + (one.usual - one.low) * (step / SLIDER_STEPS) ** 2;
    const least = one.above ? one.usual / SLIDER_STEPS : one.low;
    return one.whole ? Math.round(value) : Math.max(least, Number(value.toPrecision(3)));
  };
  const toSlider = (one, value) =>
    Math.round(SLIDER_STEPS * Math.sqrt(Math.min(1, Math.max(0, (value - one.low) / (one.usual - one.low)))));

  const rests = (name) =>
    LOADS.includes(name) && name !== document.querySelector('input[name="decide-load"]:checked').value;

  /* The figures in use and the facts; throws a RangeError that says what those that are wrong may be. */
  function read() {
    const values = {}, wrong = [];
    for (const one of figures) {
      const error = rests(one.name) ? "" : outOfRange(one);
      mark(one.name, error);
      if (error) wrong.push(error);
      if (!rests(one.name)) values[one.name] = byId(one.name).valueAsNumber;
    }
    for (const name of [...facts, ...choices]) {
      const error = byId(name).validationMessage;
      mark(name, error);
      if (error) wrong.push(error);
      values[name] = facts.includes(name) ? byId(name).checked : byId(name).value;
    }
    if (wrong.length) throw new RangeError(wrong.join(" "));
    return values;
  }

  function outOfRange(one) {
    const input = byId(one.name);
    const right = input.validity.valid && (!one.above || input.valueAsNumber > one.low);
    return right ? "" : text(say(`out_of_range${one.whole ? "_whole" : one.above ? "_above" : ""}`, one));
  }

  function mark(name, error) {
    byId(name).setAttribute("aria-invalid", String(Boolean(error)));
    byId(`${name}-error`).textContent = error;
    byId(`${name}-error`).hidden = !error;
  }

  /* What an address says. A value that cannot be used stands in its field as any other, and is marked there. */
  function restore(given) {
    for (const { name } of figures) {
      if (given.has(name)) set(name, given.get(name));
    }
    const load = LOADS.findLast((name) => given.has(name));
    if (load) choose(load);
    for (const fact of facts) {
      const said = given.get(fact) ?? "0";
      byId(fact).checked = said === "1";
      const known = said === "0" || said === "1";
      byId(fact).setCustomValidity(known ? "" : text(say("out_of_range_fact", { question: byId(fact).labels[0].innerText })));
      byId(fact).addEventListener("input", () => byId(fact).setCustomValidity(""));
    }
    for (const choice of choices) {
      const answers = [...byId(choice).options].map((option) => option.value);
      const said = given.get(choice) ?? answers[0];
      const question = byId(choice).labels[0].firstChild.textContent.trim();
      byId(choice).value = said;
      byId(choice).setCustomValidity(answers.includes(said) ? "" : text(say("out_of_range_choice", { question, answers: answers.join(", ") })));
      byId(choice).addEventListener("input", () => byId(choice).setCustomValidity(""));
    }
  }

  const choose = (load) => {
    document.querySelector(`input[name="decide-load"][value="${load}"]`).checked = true;
  };

  /* The figures, facts and answers in use as an address has them; whatever else is in it stays. */
  function keep(values, address) {
    for (const name of [...figures.map((one) => one.name), ...facts]) {
      address.searchParams.delete(name);
      if (name in values && values[name] !== false) address.searchParams.set(name, Number(values[name]));
    }
    for (const choice of choices) {
      address.searchParams.delete(choice);
      if (values[choice] !== byId(choice).options[0].value) address.searchParams.set(choice, values[choice]);
    }
    return address;
  }

  /* What the reader does not choose rests; screen readers are told the figure that a slider stands for. */
  function tidy() {
    for (const one of figures) {
      const slider = byId(`${one.name}-slider`);
      slider.setAttribute("aria-valuetext", byId(one.name).value);
      for (const input of [slider, byId(one.name)]) input.disabled = rests(one.name);
    }
  }

  /* Of what is no number, a field for numbers shows nothing, and warns; a slider stays where it is. */
  function set(name, value) {
    const known = /^-?\d*\.?\d+(e[-+]?\d+)?$/i.test(value);
    byId(name).value = known ? value : "";
    if (known) byId(`${name}-slider`).value = toSlider(figures.find((one) => one.name === name), Number(value));
  }

  /* The figures of a field of the map. */
  function take(waitName, wait, count) {
    set(waitName, wait);
    set("concurrency", count);
    if (waitName === "db_wait_ms" && byId("queries").value === "0") set("queries", 1);
    choose("concurrency");
  }

  function connect(changed) {
    for (const one of figures) {
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
      pending = requestAnimationFrame(changed);
    });
    byId("form").addEventListener("submit", (event) => event.preventDefault());
  }

  return { connect, keep, read, restore, take, tidy };
})();
