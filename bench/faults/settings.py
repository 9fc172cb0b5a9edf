"""Which settings are tried as cures by several faults, and how does a model get one?"""

from collections.abc import Callable
from dataclasses import replace

from bench.faults.fault import Cure
from bench.models import Model

# The apps of ours by what their connections to the database come from.
ON_SQLALCHEMY = ("gevent_app",)
ON_DATABASES = ("asyncio_app", "reference_apps.quart_app", "reference_apps.fastapi_app")
# More than the requests of all kinds that come while a fault lasts; one for each connection is not needed.
THREADS = 100


def with_variable(name: str, value: int) -> Callable[[Model], Model]:
    """A function that gives a model that variable."""
    return lambda model: replace(model, environment={**model.environment, name: str(value)})


def on(apps: tuple[str, ...]) -> Callable[[Model], bool]:
    """Whether a model has one of these apps, and its own driver."""
    return lambda model: model.app in apps and not model.driver and model.pool > 0


def with_threads(count: int) -> Callable[[Model], Model]:
    """A function that gives gunicorn's threaded worker so many threads."""

    def changed(model: Model) -> Model:
        place = model.arguments.index("--threads") + 1
        arguments = (*model.arguments[:place], str(count), *model.arguments[place + 1 :])
        return replace(model, arguments=arguments, threads=count)

    return changed


MORE_THREADS = Cure(
    name="more threads than requests",
    setting=f"gunicorn --worker-class gthread --threads {THREADS}",
    fits=lambda model: "gthread" in model.arguments and (model.threads or THREADS) < THREADS,
    changed=with_threads(THREADS),
)
