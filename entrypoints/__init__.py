"""The two applications, mounted in other ways than their own `wsgi.py` and `asgi.py`: one file per way."""
