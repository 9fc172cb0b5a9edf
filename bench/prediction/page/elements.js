/* How the scripts of the calculator reach their part of the page. */
"use strict";
const decidePage = (() => {
  const byId = (id) => document.getElementById(`decide-${id}`);
  const element = (name, text = "", properties = {}) =>
    Object.assign(document.createElement(name), { textContent: text }, properties);

  return { byId, element };
})();
