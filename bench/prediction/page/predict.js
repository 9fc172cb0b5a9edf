/* bench/prediction/predict.py once more, name by name, so that the sliders can move without a server. */
"use strict";
const decidePredict = (() => {
  const D = decideData;
  const { closedRps, variation, queueOf, percentile } = decideQueueing;
  const { stationOf } = decideStation;
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  const byMemory = (model, demand) =>
    Math.max(1, Math.min(D.most_processes, Math.floor(demand.memory_bytes / model.memory_bytes)));

  function mostProcesses(model, station, demand) {
    let most = byMemory(model, demand);
    if (demand.queries) most = Math.min(most, demand.db_connections);
    const cores = Math.min(most, demand.cores);
    const found = new Map(limits(model, station, demand, cores));
    const threadsBind = found.has("threads") && found.get("threads") <= Math.min(...found.values());
    return station.blocked || threadsBind ? most : cores;
  }

  function inFlight(model, demand, processes) {
    let room = Infinity;
    if (model.request_bytes && model.threads === null) {
      room = Math.max(1, (demand.memory_bytes - processes * model.memory_bytes) / model.request_bytes);
    }
    return Math.min(room, demand.concurrency ?? Infinity);
  }

  function throughput(model, station, demand, processes) {
    const each = inFlight(model, demand, processes) / processes;
    const inside = Math.min(each, model.threads ?? Infinity);
    let rate = closedRps(station.service, station.wait, inside);
    if (demand.queries) {
      const pool = Math.floor(demand.db_connections / processes);
      rate = Math.min(rate, closedRps(station.service, station.heldWait, Math.min(inside, pool)));
    }
    return Math.min(processes * rate, onCores(station, demand, processes, inside));
  }

  function onCores(station, demand, processes, inside) {
    if (processes <= demand.cores) return Infinity;
    const each = (processes * (station.blocked ? Math.min(1, inside) : inside)) / demand.cores;
    return demand.cores * closedRps(station.busy, station.blocked || station.wait, each);
  }

  function limits(model, station, demand, processes) {
    const found = [["load", (demand.concurrency ?? Infinity) / station.alone]];
    if (demand.queries) {
      found.push(["connections", (processes * Math.floor(demand.db_connections / processes)) / station.held]);
    }
    const shared = station.blocked > 0 || model.threads !== null;
    found.push(["cpu", (shared ? demand.cores : Math.min(processes, demand.cores)) / station.busy]);
    if (model.threads !== null) found.push(["threads", (processes * model.threads) / station.alone]);
    else if (station.blocked) found.push(["blocking", processes / station.service]);
    found.push(["memory", inFlight(model, { ...demand, concurrency: null }, processes) / station.alone]);
    return found;
  }

  function limitOf(model, station, demand, processes) {
    const found = limits(model, station, demand, processes);
    const least = Math.min(...found.map(([, rate]) => rate));
    const name = found.find(([, rate]) => rate <= least / D.enough)[0];
    if (["threads", "blocking"].includes(name) && processes >= D.nearly * mostProcesses(model, station, demand)) {
      return demand.queries && demand.db_connections <= byMemory(model, demand) ? "connections" : "memory";
    }
    return name;
  }

  function queuesOf(model, station, demand, processes) {
    const rate = demand.rate_rps, mine = rate / processes;
    if (rate * station.busy >= demand.cores) return [{ chance: 1, mean: null }];
    let first = { chance: 0, mean: 0 };
    if (model.threads === null) {
      first = queueOf(1, mine, station.service, variation(station.busy, station.service));
    } else if (processes * model.threads > demand.cores) {
      first = queueOf(Math.min(processes, demand.cores), rate, station.busy, 1);
    }
    const found = [first];
    if (first.mean !== null && model.threads !== null) {
      const taken = station.alone + first.mean;
      const shared = model.loop === null && model.threads === 1;
      found.push(queueOf(shared ? processes : model.threads, shared ? rate : mine, taken, variation(station.busy, taken)));
    }
    if (first.mean !== null && demand.queries && station.heldWait) {
      const held = station.held + first.mean;
      found.push(queueOf(Math.floor(demand.db_connections / processes), mine, held, variation(station.busy, held)));
    }
    return found;
  }

  function openResponse(model, station, demand, processes) {
    const queues = queuesOf(model, station, demand, processes);
    if (queues.some((queue) => queue.mean === null)) return { p50: null, p99: null, mean: null };
    const mean = station.alone + sum(queues.map((queue) => queue.mean));
    const at = (share) => mean + Math.max(...queues.map((queue) => percentile(queue, share) - queue.mean));
    return { p50: at(0.5), p99: at(0.99), mean };
  }

  function closedResponse(model, station, demand, processes, rate) {
    const mean = demand.concurrency / rate;
    const ahead = Math.max(0, demand.concurrency - rate * station.alone);
    const onCpu = limitOf(model, station, demand, processes) === "cpu";
    const varies = onCpu ? 1 : variation(station.busy, model.threads ? station.alone : station.held);
    return { p50: mean, p99: mean + (D.p99_deviations * Math.sqrt(ahead * varies)) / rate, mean };
  }

  function described(model, station, demand, processes, peak) {
    const capacity = throughput(model, station, demand, peak);
    const open = demand.rate_rps !== null;
    const response = open
      ? openResponse(model, station, demand, processes)
      : closedResponse(model, station, demand, processes, capacity);
    const waiting = !open ? demand.concurrency : response.mean === null ? Infinity : demand.rate_rps * response.mean;
    const begun = model.threads === null ? waiting : Math.min(waiting, processes * model.threads);
    const room = (demand.memory_bytes - processes * model.memory_bytes) / (model.request_bytes || D.negligible);
    const each = Math.floor(demand.db_connections / processes);
    return {
      model: model.name,
      processes,
      capacity_rps: capacity,
      per_core_rps: capacity / Math.min(demand.cores, peak),
      limit: limitOf(model, station, demand, peak),
      p50_s: response.p50,
      p99_s: response.p99,
      memory_bytes: processes * model.memory_bytes + Math.min(begun, Math.max(0, room)) * (model.request_bytes ?? 0),
      connections: demand.queries ? processes * Math.min(each, model.threads ?? each) : 0,
      fits: response.p99 !== null && begun <= room,
      keeps_slo: response.p99 !== null && response.p99 <= demand.slo_s,
    };
  }

  function ratesOf(model, station, demand) {
    const most = mostProcesses(model, station, demand);
    return Array.from({ length: most }, (_, index) => throughput(model, station, demand, index + 1));
  }

  function peakOf(rates) {
    const wanted = D.enough * Math.max(...rates);
    return rates.findIndex((rate) => rate >= wanted) + 1;
  }

  const hasSpare = (capacity, rate) => rate <= D.restart_margin * capacity;

  function predict(model, demand) {
    const station = stationOf(model, model.costs, demand);
    const rates = ratesOf(model, station, demand);
    const peak = peakOf(rates);
    if (demand.rate_rps !== null) {
      for (let count = 1; count <= rates.length; count++) {
        if (!hasSpare(rates[count - 1], demand.rate_rps)) continue;
        const found = described(model, station, demand, count, peak);
        if (found.fits && found.keeps_slo) return found;
      }
    }
    return described(model, station, demand, peak, peak);
  }

  function capacities(model, demand) {
    const peak = peakOf(ratesOf(model, stationOf(model, model.costs, demand), demand));
    return model.generations.map((costs) => throughput(model, stationOf(model, costs, demand), demand, peak));
  }

  return { throughput, hasSpare, predict, capacities };
})();
