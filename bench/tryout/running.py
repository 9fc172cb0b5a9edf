"""What can be said of a server that runs already? What its answers say: its process is not looked into.

It is compared with itself: what it answers to a request alone, and to several at once.
"""

from bench.errors import BenchError
from bench.results import Run
from bench.results.tried import Tried, TriedApp, TriedModel
from bench.tryout.comparing import compare_with
from bench.tryout.costs import described
from bench.tryout.login import visit
from bench.tryout.one_model import Asking, hangs
from bench.tryout.script import Script
from bench.tryout.trial import Listener
from bench.tryout.waits import overlap

NAME = "as it runs"


def ask_running(run: Run, url: str, script: Script, asking: Asking, listener: Listener) -> None:
    """Ask the server at that address, and save what it answered. Raises BenchError if it does not answer."""
    listener.step(1, 2, "what the answers are", None)
    first, second = (visit(url, script, asking.timeout_s) for _ in range(2))
    comparison = compare_with(first, second)
    failures = [one.failures for one in comparison.references.values() if not one.statuses]
    if len(failures) == len(comparison.references):
        raise BenchError(f"{url} does not answer ({failures[0][0]}); start the server, or correct the address")
    listener.step(2, 2, "several requests at once", None)
    differences = comparison.at_once(first, asking.at_once, asking.repeat)
    waits = {}
    for asked in () if hangs(differences) else script.requests:
        if found := overlap(first, asked, asking.at_once, asking.repeat):
            waits[asked.name] = found
    model = TriedModel(
        name=NAME, state="answers", reason="", command=(), typed="", differences=differences, waits=waits
    )
    app = TriedApp(
        target=url, folder="", python="", version="", interface="", framework="", packages={}, added={}
    )  # fmt: skip
    requests = tuple(one.tried for one in comparison.references.values())
    described(run, Tried(app=app, requests=requests, models=(model,), notes=comparison.notes))
    run.save()
