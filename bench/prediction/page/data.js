/* What the calculator calculates with: the measured models, the constants and the sentences of bench/prediction. */
"use strict";
const decideData = JSON.parse(document.getElementById("decide-data").textContent);
