"""A cache of compiled statements, which `databases` lacks: it compiles every SQLAlchemy statement anew, each time.

SQLAlchemy's own engine, and so the other app, has had such a cache since 1.4; https://github.com/encode/databases/issues/589
asks for it here. Much of the CPU time of a small read is compiling: compare `python -m bench throughput
--models asyncio,asyncio-compiling`. Built on SQLAlchemy's cache keys ("SQL Compilation Caching" in its documentation),
on the hook that a dialect has for its compiler, and on two underscores: nobody offers those two in public.
"""

from typing import Any

from databases import Database
from sqlalchemy.sql.expression import CacheKey
from sqlalchemy.util import LRUCache

STATEMENTS = 500  # as many as SQLAlchemy's engine keeps


class Recompiled:
    """A statement that was compiled before, with the values of another one like it."""

    def __init__(self, compiled: Any, key: CacheKey) -> None:
        self.compiled, self.key = compiled, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)

    def construct_params(self) -> dict[str, Any]:
        values: dict[str, Any] = self.compiled.construct_params(self.key.params, self.key.bindparams)
        return values

    @property
    def params(self) -> dict[str, Any]:
        return self.construct_params()


def compile_once(database: Database) -> None:
    """Have a database compile statements that differ in their values alone only once."""
    dialect: Any = database._backend._dialect
    compiler, cache = dialect.statement_compiler, LRUCache[Any, Any](STATEMENTS)

    def cached_compiler(dialect: Any, statement: Any, **options: Any) -> Any:
        key = statement._generate_cache_key() if statement is not None else None
        if key is None:  # SQLAlchemy has none for some, such as an INSERT of many rows
            return compiler(dialect, statement, **options)
        compiled = cache.get(key.key)
        if compiled is None:
            compiled = cache[key.key] = compiler(dialect, statement, cache_key=key)
        if compiled.post_compile_params or compiled.literal_execute_params:  # as many `?` as IN has values
            return compiler(dialect, statement, **options)
        return Recompiled(compiled, key)

    dialect.statement_compiler = cached_compiler
