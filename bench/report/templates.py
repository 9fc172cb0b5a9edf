"""How are a room's templates read? Alike in all of them: what is missing is an error, and lines of tags leave none."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates(package: str, **options: Any) -> Environment:
    """The templates in the folder of that name in a package; `options` are further ones of Jinja's environment."""
    return Environment(
        loader=PackageLoader(package), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options
    )
