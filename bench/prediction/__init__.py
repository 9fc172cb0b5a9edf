"""Which model would do most with the reader's own requests, calculated from what a run has measured?

`python -m bench decide` and the calculator in the page take two things: what a run has measured of every model, and
what the reader says of the requests and the machine. The rest is queueing theory, with the assumptions below.

What a request costs. A request keeps its process busy for

    busy = `GET /` + first query + further queries + calls to another service + the reader's own CPU time

The first query includes getting a connection and opening a transaction. All parts but the last are CPU time per
request, measured by `throughput` and `fanout`, because CPU time repeats from one generation of servers to the next
where requests per second do not. A call costs more while many are under way in the process: it was measured at 10 and
at 50, is interpolated between them, and is taken to cost no more beyond 50.

A request also waits, for as long as the reader says. While a wait overlaps with other work, the process serves other
requests. While a wait blocks, the process serves nobody. D is the time for which a request occupies its process, which
is `busy` and the waits that block; Z is the time of the waits that overlap.

Two things the reader may say, because they change who wins. Whether a request keeps its database connection while it
calls another service: a session does, until its transaction ends; then the wait for the call counts as one for the
database. And which data layer the views have: what the reads of a request cost is then multiplied by how many times as
much such reads cost on that layer in the scenario `pairs`, beside the application as it is and in the same cycles.

A number of requests at once (closed loop, N requests). A process with a core of its own and requests that wait outside
it is Palm's machine-repairman model: its throughput is (1 - B) / D, where B is Erlang's loss formula for N sources and
Z / D erlangs, whatever the distribution of the waits (Kleinrock, "Queueing Systems" I, 3.8; Takagi, "Queueing Analysis"
2). The formula is applied three times, because threads and connections limit as well: at most `threads` requests are
inside a process, and at most as many of them hold a connection as the process has. The smallest of the three
throughputs holds. If there are more processes than cores, a core takes the place of the process in the
formula, and its processes take the place of the requests; a core never answers more than 1 / busy, which is the
utilisation law. The mean response time is N / throughput, which is the interactive response time law and follows from
Little's L = λW (Little, "A Proof for the Queuing Formula", 1961; both laws in Lazowska et al., "Quantitative System
Performance", 1984, chapter 3). For p99, 2.33 standard deviations of the services ahead of a request are added; these
services are taken to be independent.

A rate (open loop, λ requests a second). Requests arrive at random (Poisson), and each process has a queue. With c
servers that each request holds for H, the mean wait is Erlang's C times H / (c - λH), times (1 + Cs²) / 2 for how much
H varies (the Allen-Cunneen approximation: Allen, "Probability, Statistics, and Queueing Theory", 1990; for c = 1 it is
Pollaczek-Khinchine's formula and exact). CPU time counts as exponentially distributed, and waits as constant. There are
three such queues: for the process (c = 1) or the cores, for the threads, and for the connections, which are also held
while their request waits for the process. A request waits in a queue with probability C, and then for an exponentially
distributed time. The response's percentile is the request's own time, plus the percentile of the worst queue, plus the
means of the other queues.

How many processes. Where waits overlap, at most one for each core, because more cannot do more. Where waits block, or
where threads run out first, as many as memory and connections allow, as teams do with sync workers. The connections are
divided equally among the processes. For a number of requests at once, the prediction shows the fewest processes that
come within 2 % of the highest throughput. For a rate, it shows the fewest that keep the rate and the limit for p99 with
a quarter of their capacity to spare, because a restart of the same server may cost that much
(bench/scenarios/latency.py).

How sure it is. Everything is predicted anew from the costs of every generation of servers. A ratio's interval is
Student's t on the logarithms of the ratios of paired generations, which can be calculated while a slider moves. Two
models differ if the interval lies beyond 5 %. Models that were measured in fewer generations than the others, as those
are whose requests wait for each other, are predicted and not ranked. The interval does not know whether the formulas
fit: `decide --check` measures that.

What is left out. PostgreSQL's own limit, the network, other work on the machine, requests that are shared out unevenly
among the processes, waits that vary, and several cores within a process (free threading). One error is known: if the
connections are all in use, gevent passes them on to several waiting requests in a row, which costs a tenth to a third
of what is predicted there.

Where it stands. costs.py reads the measured cells, layers.py those of other data layers, figures.py has what the reader
says, station.py combines all three into one request, queueing.py has the formulas, predict.py applies them to a model,
rank.py ranks the models, verdict.py says who is best, advice.py adds code, facts and traps, sentences.py puts all that
into the words of sentences.toml. check.py predicts and measures the loads of unseen.py. page/ has the same calculation
in JavaScript; vectors.py keeps the two the same.
"""
