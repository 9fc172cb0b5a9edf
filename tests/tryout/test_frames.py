"""A stack is told by names: of the functions in C too, and by the lines of templates."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from bench.tryout.inside.bench_tried.frames import Snapshot, callee, describe, outwards, snapshot


class Trap:
    """An object that would notice being asked for anything."""

    @property
    def wait(self) -> object:
        raise AssertionError("a property was run")

    def __getattr__(self, name: str) -> object:
        raise AssertionError("an attribute was asked for")


def sleeps() -> None:
    time.sleep(0.3)


def locks() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=0.3)


def enters() -> None:
    lock = threading.Lock()
    lock.acquire()
    threading.Timer(0.3, lock.release).start()
    with lock:
        pass


def waits_on_more_lines() -> None:
    event = threading.Event()
    event.wait(
        0.3,
    )


def waits_in(work: Callable[[], None]) -> str:
    """What is called where a thread waits that does the work."""
    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.1)
    frame = sys._current_frames()[thread.ident or 0]
    while frame.f_code is not work.__code__:
        assert frame.f_back is not None
        frame = frame.f_back
    named = callee(snapshot(frame))
    thread.join()
    return named


@pytest.mark.parametrize(
    ("work", "named"),
    [(sleeps, "time:sleep"), (locks, "_thread:lock.acquire"), (enters, "_thread:lock"),
     (waits_on_more_lines, "threading:Event.wait")],
)  # fmt: skip
def test_a_function_in_c_is_named_by_what_is_being_evaluated(work: Callable[[], None], named: str) -> None:
    assert waits_in(work) == named


def test_names_are_looked_up_without_running_anything() -> None:
    def here() -> Snapshot:
        trap = Trap()
        return snapshot(sys._getframe()) if trap.__class__ else trap.wait()  # type: ignore[operator]

    assert callee(here()) == "bench.tryout.inside.bench_tried.frames:snapshot"


def test_code_without_a_source_has_no_callee() -> None:
    names: dict[str, object] = {"snapshot": snapshot, "sys": sys}
    exec("found = snapshot(sys._getframe())", names)
    found = names["found"]
    assert isinstance(found, Snapshot)
    assert callee(found) == ""


def test_in_a_template_the_line_is_the_templates(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("first\n\n{{ look() }}\n")
    seen: list[tuple[str, int, str, str]] = []

    def look() -> str:
        (template,) = [each for each in outwards(sys._getframe()) if "__jinja_template__" in each.f_globals]
        seen.append(describe(template))
        return ""

    jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path)).get_template("page.html").render(look=look)
    ((file, line, _, _),) = seen
    assert (Path(file).name, line) == ("page.html", 3)
