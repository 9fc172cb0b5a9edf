"""From measured cells and the reader's own figures to a prediction for every model, and a ranking.

The model. A request occupies its process (`busy`) for what was measured, and waits for what the reader says:

    busy = `GET /` + first query (with its connection and transaction) + further queries + calls + the reader's own CPU

each of them CPU time per request from `throughput` and `fanout`, which repeats where rates do not. That of `/` is
divided by the highest utilisation that a round reached there, for a sync worker is idle between two requests and does
not get to a whole core. A call costs more the more of them are under way in a process, as measured between 10 and 50,
and no more beyond. Waits that overlap leave the process free; waits that block belong to its service time D, beside
`busy`. Z is the rest of them.

Closed loop, N requests at once. A process with a single core and requests that wait apart from it is the machine
repairman's (Palm's) model: throughput is (1 - B) / D, B being Erlang's loss formula for N sources and Z / D erlangs,
whatever the distribution of the waits (Kleinrock, "Queueing Systems" I, 3.8; Takagi, "Queueing Analysis" 2). At most
`threads` requests are in it, at most the pool's connections in its database part, so the smallest of these three
throughputs holds. Where more processes than cores share these, a core is the server and its processes are the sources;
no number of them gets more from it than 1 / busy, the utilisation law. Response time is N / throughput, the interactive
response time law, which is Little's L = λW (Little, "A Proof for the Queuing Formula", 1961; both laws in Lazowska et
al., "Quantitative System Performance", 1984, chapter 3). Its p99 adds 2.33 standard deviations of the services ahead,
which are independent.

Open loop, λ requests a second. Each process is a queue with Poisson arrivals; mean waits are Erlang's C times
H / (c - λH) with c servers of holding time H, corrected for its variation by (1 + Cs²) / 2 (Allen, "Probability,
Statistics, and Queueing Theory", 1990: the Allen-Cunneen approximation; for c = 1 Pollaczek-Khinchine, exact).
CPU parts count as exponential, waits as the constant that the reader gave. Three queues: the process or the CPU (c = 1,
or the cores), the threads, the pool, whose connections are held while the request waits for the process too. A wait is
zero with probability 1 - C and exponential else. The response's percentile is the request's own time, the percentile of
the worst queue and the means of the others.

Processes. Where waits overlap, one for each core at most, because more cannot do more. Where they block, or where
threads run out before anything else, as many as memory and connections allow: that is what teams do with sync
workers. Connections are shared out among the processes. The fewest that come within 2 % of the most are shown for N
at once; for a rate, the fewest that keep it with a quarter to spare, which a restart of the same server may take
(bench/scenarios/latency.py), and keep the limit for p99 as well.

Uncertainty. Everything is predicted anew from the costs of every round; a ratio's interval is Student's t on the
logarithms of the paired rounds' ratios, which the bootstrap of bench/judging/statistics.py is widened to agree with, in
a closed form that the page can compute while a slider moves. Models differ if it clears 5 % and what the A/A pair seems
to differ by. What the interval does not know is whether the model is right: `decide --check` measures that.

Not in it: PostgreSQL's own limit, the network, other work on the machine, uneven sharing among processes, variation of
the waits themselves, and several cores within a process (free threading). Known to be off: under gevent a full pool's
connections are handed on in convoys, which costs a tenth to a quarter of what is predicted there.

costs.py reads cells, figures.py is what the reader says, station.py what a request is to a process, queueing.py has the
formulas, predict.py puts a model under them, rank.py ranks and says the verdict, advice.py adds code and traps,
check.py predicts and measures what unseen.py lists. bench/prediction/page has predict.js and rank.js, the same once
more; vectors.py keeps the two the same.
"""
