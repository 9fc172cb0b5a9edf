"""`python -m asyncio_app` serves the application; `python -m asyncio_app -c` creates its table and 50 todos."""

import argparse
import asyncio
import os
import sys

from asyncio_app.config import refuse


async def create() -> None:
    """Create and fill the table, once."""
    try:
        from asyncio_app.db import create_tables, database

        async with database:
            created = await create_tables()
    except Exception as error:  # `databases` leaves each driver its own errors
        refuse(f"nothing was created: {str(error).splitlines()[0]}; check DATABASE_URL")
    print("created table todos with 50 rows" if created else "table todos is there; nothing changed")


def serve(port: int) -> None:
    """Become the server."""
    command = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port), "asyncio_app.asgi:app"]
    os.execv(sys.executable, command)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m asyncio_app", description=__doc__)
    parser.add_argument("-c", "--create", action="store_true", help="create the table and 50 todos, then end")
    parser.add_argument("-p", "--port", type=int, default=8000, help="port to serve on (8000)")
    arguments = parser.parse_args()
    asyncio.run(create()) if arguments.create else serve(arguments.port)


if __name__ == "__main__":
    main()
