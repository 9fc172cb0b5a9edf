/* bench/prediction/station.py once more: what a described request does to a process. */
"use strict";
const decideStation = (() => {
  const SAME = { first_query: 1, query: 1, list: 1 };

  function stationOf(model, given, demand) {
    const costs = onLayer(model, given, demand);
    const first = demand.all_rows ? costs.list_s : costs.first_query_s;
    const queries = demand.queries ? first + (demand.queries - 1) * costs.query_s : 0;
    const busy = costs.base_s + queries + callsOf(model, demand) + demand.cpu_s;
    const database = demand.queries * demand.db_wait_s;
    const upstreamBlocks = !model.python_overlaps || (demand.blocking_libraries && model.on_asyncio);
    const blocked = (model.database_overlaps ? 0 : database) + (upstreamBlocks ? demand.upstream_wait_s : 0);
    const upstream = upstreamBlocks ? 0 : demand.upstream_wait_s;
    const heldUpstream = holds(model, demand) ? upstream : 0;
    const heldWait = (model.database_overlaps ? database : 0) + heldUpstream;
    const service = busy + blocked;
    const wait = heldWait + upstream - heldUpstream;
    return { busy, blocked, heldWait, service, wait, alone: service + wait, held: service + heldWait };
  }

  function onLayer(model, costs, demand) {
    const times = model.layers[demand.data_layer] ?? SAME;
    return {
      base_s: costs.base_s,
      first_query_s: costs.first_query_s * times.first_query,
      query_s: costs.query_s * times.query,
      list_s: costs.list_s * times.list,
    };
  }

  function holds(model, demand) {
    const { own, held, given_back: givenBack, session } = decideData.answers;
    if (!demand.queries || demand.connection === givenBack) return false;
    if (demand.connection === held) return true;
    return demand.data_layer === own ? model.keeps_connection : demand.data_layer === session;
  }

  function callsOf(model, demand) {
    if (!demand.calls || model.calls_s === null) return 0;
    const waiting = demand.rate_rps === null ? demand.concurrency : demand.rate_rps * demand.upstream_wait_s;
    const inside = Math.min(waiting / demand.cores, model.threads ?? Infinity);
    const [few, many] = decideData.calls_at_once, [fewS, manyS] = model.calls_s;
    const share = Math.min(1, Math.max(0, (demand.calls * inside - few) / (many - few)));
    return demand.calls * (fewS + share * (manyS - fewS));
  }

  return { stationOf, holds };
})();
