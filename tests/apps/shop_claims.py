"""What docs/moving.md claims of the shop under a server: is it so, does it block, or does it fail?

Each claim is a function from a running server to what was seen, in the words of the page's table.
"""

import hashlib
import html
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from processes import wait_until
from shop.models import password_of
from shop_server import APPS, Around, Shop, at_once, peak_at_upstream
from sqlalchemy import text

AS_IT_IS, BLOCKS, FAILS = "as it is", "blocks", "fails"
ROUNDS = 4
WAIT_S = 0.4
# Less than the time after which a background thread that fails has failed; one that works needs a few milliseconds.
NOTE_S = 3.0


def found(holds: bool) -> str:
    return AS_IT_IS if holds else FAILS


def overlap(correct: bool, peak: int) -> str:
    """Whether eight waits at once were right, and overlapped."""
    if not correct:
        return FAILS
    assert peak == 1 or peak >= 4, f"{peak} of eight at once say neither that waits overlap nor that they do not"
    return AS_IT_IS if peak >= 4 else BLOCKS


@contextmanager
def counted_sleepers(around: Around) -> Iterator[list[int]]:
    """How many connections were in pg_sleep, seen again and again."""
    seen, over = [0], threading.Event()

    def look() -> None:
        with around.connection() as connection:
            while not over.wait(0.02):
                seen.append(around.waiting(connection, "PgSleep"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def orm(shop: Shop) -> str:
    """What a user has written is read again, by that user alone, while seven others do the same."""
    mark = shop.url.rpartition(":")[2]

    def work(name: str) -> bool:
        right = True
        with shop.signed_in(name) as client:
            for turn in range(ROUNDS):
                note = f"{mark}-{name}-{turn}"
                created = client.post("/orders", data={"note": note, "product": ["tea", f"cup {turn}"]})
                page = client.get("/orders").text
                mine = set(re.findall(rf"{mark}-(\w+)-\d+", page)) == {name}
                right &= created.json().get("note") == note and f"{note}: tea;cup {turn};" in page and mine
        return right

    return found(all(at_once(work)))


def queries(shop: Shop) -> str:
    with counted_sleepers(shop.around) as seen, shop.client() as client:
        answers = at_once(lambda name: client.get("/report", params={"seconds": WAIT_S}))
    return overlap(all(answer.status_code == 200 for answer in answers), max(seen))


def own_registry(shop: Shop) -> str:
    def work(name: str) -> bool:
        with shop.client() as client:
            answer = client.post("/audit", data={"who": name, "seconds": str(WAIT_S)})
        return answer.status_code == 200 and answer.json() == {"who": name}

    with counted_sleepers(shop.around) as seen:
        right = all(at_once(work))
    return overlap(right, max(seen))


def login(shop: Shop) -> str:
    """Eight users, each asking again and again who they are; nobody without a cookie is anybody."""

    def work(name: str) -> bool:
        with shop.signed_in(name) as client:
            mine = all(client.get("/me").json() == {"name": name} for _ in range(ROUNDS))
            client.post("/sign-out")
            return mine and client.get("/me").status_code == 302

    return found(all(at_once(work)))


def user_loader(shop: Shop) -> str:
    """While a user is loaded, which waits for a lock, does the server answer somebody else?"""
    with (
        shop.signed_in("user0") as client,
        shop.around.connection() as looking,
        shop.around.connection() as locking,
        ThreadPoolExecutor(1) as pool,
    ):
        locking.execute(text("BEGIN"))
        locking.execute(text("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"))
        me = pool.submit(client.get, "/me")
        wait_until(lambda: shop.around.waiting(looking, "relation") == 1, "the user is being loaded")
        answered = shop.answers_at_once()
        locking.execute(text("ROLLBACK"))
        assert me.result().json() == {"name": "user0"}
    return AS_IT_IS if answered else BLOCKS


def outgoing(shop: Shop) -> str:
    peak_at_upstream(shop.around)
    with shop.client() as client:
        answers = at_once(lambda name: client.get("/stock", params={"seconds": WAIT_S}))
    return overlap(all(answer.status_code == 200 for answer in answers), peak_at_upstream(shop.around))


def upload(shop: Shop) -> str:
    """1 MiB from each of eight."""

    def work(name: str) -> bool:
        content = os.urandom(1024 * 1024)
        with shop.client() as client:
            answer = client.post("/files", files={"file": content}, data={"note": name})
        expected = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "note": name}
        return answer.status_code == 200 and answer.json() == expected

    return found(all(at_once(work)))


def errors(shop: Shop) -> str:
    with shop.client() as client:
        program = [client.get(path, headers={"Accept": "application/json"}) for path in ("/nowhere", "/broken")]
        person = [client.get(path, headers={"Accept": "text/html"}) for path in ("/nowhere", "/broken")]
    as_json = [(answer.status_code, answer.json()["error"]) for answer in program]
    as_page = [(answer.status_code, re.search("<h1>(.*)</h1>", answer.text)) for answer in person]
    expected = [(404, "Not Found"), (500, "Internal Server Error")]
    return found(as_json == expected and [(code, title and title[1]) for code, title in as_page] == expected)


def template(shop: Shop) -> str:
    with shop.signed_in("user1") as client, shop.client() as nobody:
        mine, theirs = client.get("/orders").text, nobody.get("/sign-in").text
    return found("<p>Signed in as user1</p>" in mine and "<p>Nobody is signed in</p>" in theirs)


def noted(path: str, *, before_answer: bool = False) -> Callable[[Shop], str]:
    """The claim that a view's work is done after a while, or by the time that it answers."""

    def claim(shop: Shop) -> str:
        note = f"{shop.url} {path}"
        with shop.client() as client:
            accepted = client.post(f"/background/{path}", data={"text": note}).status_code == 202
        if before_answer:
            return found(accepted and shop.around.notes(note) == 1)
        try:
            wait_until(lambda: shop.around.notes(note) == 1, note, NOTE_S)
        except AssertionError:
            return FAILS
        return found(accepted)

    return claim


def nothing_checked_out(shop: Shop) -> str:
    with shop.client() as client:
        try:
            wait_until(lambda: client.get("/pool").json() == {"checked_out": 0}, "all connections are back", NOTE_S)
        except AssertionError:
            return FAILS
    return AS_IT_IS


def breakpoint_in_a_view(shop: Shop) -> str:
    """Can the view be looked at from the terminal, and is somebody else answered meanwhile?"""
    with shop.client() as client, ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(client.get, "/stop")
        wait_until(lambda: "(Pdb)" in shop.process.log_tail(), "the debugger asks for a command")
        answered = shop.answers_at_once()
        os.write(shop.keyboard, b"p answer * 1000\nc\n")
        right = stopped.result().json() == {"answer": 42} and "42000" in shop.process.log_tail()
    if not right:
        return FAILS
    return AS_IT_IS if answered else BLOCKS


def debugger(shop: Shop) -> str:
    """The page of an error, and an expression evaluated in the frame where it was raised."""
    with shop.client() as client:
        page = client.get("/broken").text
        secret, frames = re.search('SECRET = "(.*?)"', page), re.findall(r'id="frame-(\d+)"', page)
        if secret is None or "broken after 42" not in html.unescape(page):
            return FAILS
        asked = {"__debugger__": "yes", "cmd": "answer * 1000", "frm": frames[-1], "s": secret[1]}
        return found("42000" in client.get("/", params=asked).text)


CLAIMS: dict[str, Callable[[Shop], str]] = {
    "ORM: what eight users write at once is read again": orm,
    "ORM: eight queries at once overlap": queries,
    "ORM: a `scoped_session` of your own, eight at once": own_registry,
    "Flask-Login: eight users at once are not mixed": login,
    "Flask-Login: others are served while a user is loaded": user_loader,
    "`requests`: eight calls at once overlap": outgoing,
    "upload: 1 MiB from each of eight arrives whole": upload,
    "error handlers: JSON and HTML": errors,
    "Jinja templates, `current_user` in them": template,
    "background: a thread started in a view": noted("thread"),
    "background: an executor in the process": noted("executor"),
    "background: `after_this_request`, before the answer": noted("after-this-request", before_answer=True),
    "background: `call_on_close`, after the answer": noted("on-close"),
    "no connection is left checked out": nothing_checked_out,
    "`breakpoint()`: others are served meanwhile": breakpoint_in_a_view,
}


def development_server(shop: Shop) -> str:
    """Two users after each other under `flask run --debug`, and the page of an error."""
    with shop.client() as client:
        for name in ("user0", "user1"):
            client.post("/sign-in", data={"name": name, "password": password_of(name)})
            client.post("/orders", data={"note": f"{shop.url} of {name}", "product": "tea"})
            if f"{shop.url} of {name}: tea;" not in client.get("/orders").text:
                return FAILS
            if client.get("/report", params={"seconds": "0"}).status_code != 200:
                return FAILS
    return debugger(shop)


def in_test_client(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """What client_try.py says of the app in Flask's test client, in a Python of its own."""
    run = subprocess.run(
        [sys.executable, *arguments], env=os.environ | environment, cwd=APPS, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    return found(run.stdout.strip() == AS_IT_IS)
