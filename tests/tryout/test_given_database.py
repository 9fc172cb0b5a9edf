"""`--postgres NAME`: an application that needs a database of its own gets an empty one."""

import os
from pathlib import Path

import psycopg2
import pytest

from bench.errors import BenchError
from bench.tryout.database import empty_postgres


def test_the_variable_has_the_url_of_an_empty_database_that_is_gone_afterwards(tmp_path: Path) -> None:
    with empty_postgres("SHOP_DATABASE", tmp_path) as (database, variables):
        assert variables == {"SHOP_DATABASE": database.url}
        connection = psycopg2.connect(variables["SHOP_DATABASE"])
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE orders (id int)")
            cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
            assert cursor.fetchone() == (1,)
        connection.close()
        assert database.pid
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(variables["SHOP_DATABASE"])
    assert "SHOP_DATABASE" not in os.environ


def test_the_name_must_be_one_of_a_variable(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="--postgres needs the name of a variable"), empty_postgres("a b", tmp_path):
        pass
