"""The command line: examples, the list of commands, and what ends them."""

import io
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from bench.commands.bridge import bridge
from bench.commands.cluster import cluster_command
from bench.commands.compare import compare
from bench.commands.decide import decide_command
from bench.commands.faults import faults_command
from bench.commands.layers import layers
from bench.commands.load import calibrate, load
from bench.commands.look import client, code, list_models, serve
from bench.commands.measure import SCENARIO_COMMANDS, all_scenarios
from bench.commands.options import EXIT_BAD_INPUT
from bench.commands.publish import publish
from bench.commands.report import report
from bench.commands.traps import traps_command
from bench.commands.tryout import try_command
from bench.errors import BenchError

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

# An interruption that Python has dropped comes again so soon.
AGAIN_S = 0.02


class Commands(click.Group):
    """Shows examples above the options, and commands in the order of this file."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        with formatter.section("Examples"):
            formatter.write_dl(
                [
                    ("python -m bench all", "every scenario, in about ten minutes; --quick: a first look"),
                    ("python -m bench try shop:app --path /orders", "your own application under every model"),
                    ("python -m bench classic", "the original example at its original 5 seconds, in about 3 minutes"),
                    ("python -m bench classic --models gevent,asyncio-bridge --requests 100", "watch the pool of 15"),
                    ("python -m bench traps", "what looks right and is not, and what cures it, on real servers"),
                    (
                        "python -m bench faults",
                        "what deploys, crashes and slow clients do to each model, and what cures",
                    ),
                    ("python -m bench decide", "which model for your own figures, predicted from the newest run"),
                    ("python -m bench code /sleep/postgres/", "the two views beside each other"),
                    ("python -m bench serve asyncio-bridge", "a server to try your own load on"),
                ]
            )
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version="0.1.0", prog_name="flask-concurrency-bench")
def cli() -> None:
    """gevent or asyncio for a Flask app? Runs both for real and shows which waits for what."""


for command in (
    all_scenarios,
    try_command,
    *SCENARIO_COMMANDS,
    faults_command,
    traps_command,
    cluster_command,
    layers,
    bridge,
    decide_command,
    compare,
    report,
    publish,
    client,
    serve,
    load,
    calibrate,
    list_models,
    code,
):
    cli.add_command(command)


class Interrupted(KeyboardInterrupt):
    """Not a plain one: if that passes through an `exec` of text, as when a dataclass is made, CPython ends the process
    by SIGINT in the end, caught or not. Source: run_eval_code_obj in Python/pythonrun.c."""


class Interruption:
    """Ctrl-C or `kill`: either raises KeyboardInterrupt, and `exit_code` says which it was, as a shell would."""

    def __init__(self) -> None:
        self.exit_code = 128 + signal.SIGINT
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.interrupt)
        self.usual_hook = sys.unraisablehook
        sys.unraisablehook = self.drop

    def interrupt(self, number: int, frame: FrameType | None) -> NoReturn:
        """The signals' handler."""
        self.exit_code = 128 + number
        raise Interrupted

    def drop(self, dropped: "UnraisableHookArgs") -> None:
        """What is raised in a `__del__`, and so where garbage is collected, ends there: the signal has to come again.

        Source: https://docs.python.org/3/library/sys.html#sys.unraisablehook
        """
        if isinstance(dropped.exc_value, Interrupted):
            number, main_thread = self.exit_code - 128, threading.main_thread().ident or 0
            threading.Timer(AGAIN_S, signal.pthread_kill, [main_thread, number]).start()
        else:
            self.usual_hook(dropped)


def main() -> NoReturn:
    """Run a command; what the user can put right ends it with one line and exit code 2."""
    interruption = Interruption()
    try:
        choose_encoding()
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption):
            click.echo(having(error.option_name), err=True, nl=False)
        sys.exit(EXIT_BAD_INPUT)
    except BenchError as error:
        for one in causes(error):
            click.echo(f"bench: {one}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except (KeyboardInterrupt, click.Abort):
        click.echo("bench: interrupted; nothing is left running", err=True)
        sys.exit(interruption.exit_code)
    sys.exit(0)


def having(option: str) -> str:
    """A line with the commands that have an option, for whoever has given it to another; empty if there are none."""
    names = [name for name, command in cli.commands.items() if any(option in one.opts for one in command.params)]
    return f"The commands that have {option} are {', '.join(names)}.\n" if names else ""


def choose_encoding() -> None:
    """A file or a pipe gets UTF-8, whatever the locale; a terminal a question mark for what its encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def causes(error: BenchError) -> list[BenchError]:
    """What came up first, then what came up on the way out: a full disk stops the results file and then the page."""
    found: list[BenchError] = []
    one: BaseException | None = error
    while one is not None:
        if isinstance(one, BenchError):
            found.append(one)
        one = None if one.__suppress_context__ else one.__context__
    return found[::-1]
