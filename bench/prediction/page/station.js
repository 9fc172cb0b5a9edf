/* bench/prediction/station.py once more: what a described request does to a process. */
"use strict";
const decideStation = (() => {
  function stationOf(model, costs, demand) {
    const first = demand.all_rows ? costs.list_s : costs.first_query_s;
    const queries = demand.queries ? first + (demand.queries - 1) * costs.query_s : 0;
    const busy = costs.base_s + queries + callsOf(model, demand) + demand.cpu_s;
    const database = demand.queries * demand.db_wait_s;
    const upstreamBlocks = !model.python_overlaps || (demand.blocking_libraries && model.on_asyncio);
    const blocked = (model.database_overlaps ? 0 : database) + (upstreamBlocks ? demand.upstream_wait_s : 0);
    const dbWait = model.database_overlaps ? database : 0;
    const otherWait = upstreamBlocks ? 0 : demand.upstream_wait_s;
    const service = busy + blocked;
    const wait = dbWait + otherWait;
    return { busy, blocked, dbWait, service, wait, alone: service + wait, held: service + dbWait };
  }

  function callsOf(model, demand) {
    if (!demand.calls || model.calls_s === null) return 0;
    const waiting = demand.rate_rps === null ? demand.concurrency : demand.rate_rps * demand.upstream_wait_s;
    const inside = Math.min(waiting / demand.cores, model.threads ?? Infinity);
    const [few, many] = decideData.calls_at_once, [fewS, manyS] = model.calls_s;
    const share = Math.min(1, Math.max(0, (demand.calls * inside - few) / (many - few)));
    return demand.calls * (fewS + share * (manyS - fewS));
  }

  return { stationOf };
})();
