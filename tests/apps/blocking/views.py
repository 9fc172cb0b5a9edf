"""Each view keeps the loop for about 100 ms, in the marked line. What gevent does not patch keeps its hub too."""

import copy
import csv
import fcntl
import hashlib
import json
import os
import queue
import re
import socket
import sqlite3
import subprocess
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from xml.etree import ElementTree

import psycopg2
import pymysql
from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from shop.models import db
from shop.supplier import client
from sqlalchemy import func, make_url, select
from werkzeug.security import check_password_hash, generate_password_hash

views = Blueprint("blocking", __name__, template_folder="templates")

WAIT_S = 0.1
DONE = {"done": True}
NUMBERS = list(range(400_000))
DOCUMENT = {"rows": [{"id": number, "name": f"row {number}"} for number in range(150_000)]}
TEXT = json.dumps(DOCUMENT)
ROWS = [f'{number},"row {number}",{number * 7}' for number in range(50_000)]
XML = "<rows>" + "".join(f'<row id="{number}">name</row>' for number in range(60_000)) + "</rows>"
PASSWORD = generate_password_hash("password")


def database_url() -> str:
    return make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql").render_as_string(hide_password=False)


def file(name: str) -> Path:
    return Path(os.environ["BLOCKING_FOLDER"]) / f"{name}-{os.getpid()}"


@views.get("/psycopg2_connect")
def psycopg2_connect() -> ResponseReturnValue:
    """PostgreSQL itself waits before it answers, for at least a second."""
    options = "-c post_auth_delay=1"
    psycopg2.connect(database_url(), options=options).close()  # blocks: loop, hub
    return DONE


@views.get("/psycopg2_execute")
def psycopg2_execute() -> ResponseReturnValue:
    with closing(psycopg2.connect(database_url())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", (WAIT_S,))  # blocks: loop, hub
    return DONE


@views.get("/orm_query")
def orm_query() -> ResponseReturnValue:
    db.session.execute(select(func.pg_sleep(WAIT_S)))  # blocks: loop, hub
    return DONE


@views.get("/scrypt")
def scrypt() -> ResponseReturnValue:
    hashlib.scrypt(b"password", salt=b"salt", n=2**15, r=8, p=2, maxmem=2**27)  # blocks: loop, hub
    return DONE


@views.get("/pbkdf2")
def pbkdf2() -> ResponseReturnValue:
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 300_000)  # blocks: loop, hub
    return DONE


@views.get("/check_password")
def check_password() -> ResponseReturnValue:
    return {"right": check_password_hash(PASSWORD, "password")}  # blocks: loop, hub


@views.get("/json_dumps")
def json_dumps() -> ResponseReturnValue:
    text = json.dumps(DOCUMENT)  # blocks: loop, hub
    return {"characters": len(text)}


@views.get("/json_loads")
def json_loads() -> ResponseReturnValue:
    document = json.loads(TEXT)  # blocks: loop, hub
    return {"rows": len(document["rows"])}


@views.get("/regex")
def regex() -> ResponseReturnValue:
    found = re.match("(a+)+$", "a" * 21 + "b")  # blocks: loop, hub
    return {"found": found is not None}


@views.get("/python_loop")
def python_loop() -> ResponseReturnValue:
    total = sum(number * number for number in range(2_500_000))  # blocks: loop, hub
    return {"total": total}


@views.get("/own_function")
def own_function() -> ResponseReturnValue:
    return {"steps": collatz(15_000)}


def collatz(below: int) -> int:
    """Several lines, of which one takes the most time."""
    steps = 0
    for number in range(1, below):
        while number != 1:  # blocks: loop, hub
            number = number // 2 if number % 2 == 0 else 3 * number + 1
            steps += 1
    return steps


@views.get("/sqlite_locked")
def sqlite_locked() -> ResponseReturnValue:
    """Another connection has the lock, and SQLite waits as long as it was told to."""
    path = file("sqlite")
    with closing(sqlite3.connect(path)) as first, closing(sqlite3.connect(path, timeout=WAIT_S)) as second:
        first.execute("BEGIN EXCLUSIVE")
        with suppress(sqlite3.OperationalError):
            second.execute("BEGIN IMMEDIATE")  # blocks: loop, hub
    return DONE


@views.get("/file_lock")
def file_lock() -> ResponseReturnValue:
    path = file("lock")
    command = ["flock", path, "sh", "-c", f"echo locked; sleep {WAIT_S}"]
    with path.open("w") as lock, subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        fcntl.flock(lock, fcntl.LOCK_EX)  # blocks: loop, hub
    return DONE


@views.get("/fifo")
def fifo() -> ResponseReturnValue:
    path = file("fifo")
    with suppress(FileExistsError):
        os.mkfifo(path)
    with subprocess.Popen(["sh", "-c", f'sleep {WAIT_S}; echo done > "$0"', path]):
        text = path.read_text()  # blocks: loop, hub
    return {"text": text}


@views.get("/compress")
def compress() -> ResponseReturnValue:
    compressed = zlib.compress(TEXT[:3_000_000].encode(), 9)  # blocks: loop, hub
    return {"bytes": len(compressed)}


@views.get("/template")
def template() -> ResponseReturnValue:
    """The line that blocks is one of the template's."""
    return render_template("numbers.html", numbers=NUMBERS[:25_000])


@views.get("/sort")
def sort() -> ResponseReturnValue:
    words = sorted(NUMBERS, key=str)  # blocks: loop, hub
    return {"last": words[-1]}


@views.get("/deep_copy")
def deep_copy() -> ResponseReturnValue:
    mine = copy.deepcopy(DOCUMENT["rows"][:40_000])  # blocks: loop, hub
    return {"rows": len(mine)}


@views.get("/csv_rows")
def csv_rows() -> ResponseReturnValue:
    rows = list(csv.reader(ROWS))  # blocks: loop, hub
    return {"rows": len(rows)}


@views.get("/xml")
def xml() -> ResponseReturnValue:
    root = ElementTree.fromstring(XML)  # blocks: loop, hub
    return {"rows": len(root)}


@views.post("/upload")
def upload() -> ResponseReturnValue:
    """An upload, of which a checksum is made."""
    content = request.files["file"].read()
    digest = hashlib.pbkdf2_hmac("sha256", content, b"salt", 300_000)  # blocks: loop, hub
    return {"sha256": digest.hex()}


@views.get("/sleep")
def sleep() -> ResponseReturnValue:
    time.sleep(WAIT_S)  # blocks: loop
    return DONE


@views.get("/outgoing")
def outgoing() -> ResponseReturnValue:
    answer = client.get(current_app.config["UPSTREAM_URL"], params={"seconds": WAIT_S}, timeout=30)  # blocks: loop
    return answer.json()


@views.get("/mysql_connect")
def mysql_connect() -> ResponseReturnValue:
    """Without TLS, for which it would compute 20 ms in each connect: it reads the system's certificates anew."""
    with suppress(pymysql.OperationalError):
        pymysql.connect(host="127.0.0.1", port=int(os.environ["MYSQL_PORT"]), ssl_disabled=True)  # blocks: loop
    return DONE


@views.get("/process")
def process() -> ResponseReturnValue:
    subprocess.run(["sleep", str(WAIT_S)], check=True)  # blocks: loop
    return DONE


@views.get("/from_queue")
def from_queue() -> ResponseReturnValue:
    box: queue.Queue[dict[str, bool]] = queue.Queue()
    threading.Timer(WAIT_S, box.put, [DONE]).start()
    return box.get()  # blocks: loop


@views.get("/locked")
def locked() -> ResponseReturnValue:
    lock = threading.Lock()
    lock.acquire()
    threading.Timer(WAIT_S, lock.release).start()
    with lock:  # blocks: loop
        return DONE


@views.get("/receive")
def receive() -> ResponseReturnValue:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Timer(WAIT_S, theirs.sendall, [b"done"]).start()
        return {"received": ours.recv(4).decode()}  # blocks: loop


@views.get("/join")
def join() -> ResponseReturnValue:
    thread = threading.Thread(target=time.sleep, args=[WAIT_S])
    thread.start()
    thread.join()  # blocks: loop
    return DONE


@views.get("/future")
def future() -> ResponseReturnValue:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(time.sleep, WAIT_S)
        waiting.result()  # blocks: loop
    return DONE
