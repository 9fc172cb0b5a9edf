"""A run on several machines: servers on one, load from others, with Dask between them.

The bench plans, checks, judges and reports. An agent on each of the other machines starts what is to run there, and
ends it when the bench asks for it, or has not been heard of for some seconds.
"""
