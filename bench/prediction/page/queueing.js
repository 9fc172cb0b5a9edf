/* bench/prediction/queueing.py once more. A queue's mean is null where its wait grows for as long as the rate lasts. */
"use strict";
const decideQueueing = (() => {
  const { negligible } = decideData;

  function closedRps(service, wait, requests) {
    const erlangs = wait / service;
    let loss = 1, before = 1;
    if (!erlangs || requests === Infinity) return Math.min(1, requests) / service;
    for (let count = 1; count <= Math.ceil(requests); count++) {
      before = loss;
      loss = (erlangs * loss) / (count + erlangs * loss);
      if (loss < negligible) return 1 / service;
    }
    const part = requests - Math.ceil(requests) + 1;
    return (1 - (before + part * (loss - before))) / service;
  }

  const variation = (busy, whole) => (busy / whole) ** 2;

  function queueOf(servers, rate, service, varies) {
    const erlangs = rate * service;
    if (erlangs >= servers) return { chance: 1, mean: null };
    let loss = 1;
    for (let count = 1; count <= servers; count++) loss = (erlangs * loss) / (count + erlangs * loss);
    const chance = loss / (1 - (erlangs / servers) * (1 - loss));
    return { chance, mean: (((chance * service) / (servers - erlangs)) * (1 + varies)) / 2 };
  }

  const percentile = (queue, share) =>
    queue.mean === null || queue.chance <= 1 - share
      ? 0
      : (queue.mean / queue.chance) * Math.log(queue.chance / (1 - share));

  return { closedRps, variation, queueOf, percentile };
})();
