"""The two apps on other data layers: matched pairs, which differ in the concurrency model and in nothing else.

The same statements, transactions and pool on both sides: `sync_raw.py` beside `async_raw.py`, and so on. How each is
served, and which two are a pair, is in bench/models/pairs.py.
"""
