"""A run as one page that needs nothing but a browser: no server, no network, no other file."""
