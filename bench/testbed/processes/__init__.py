"""Processes that end with the bench, whatever ends the bench, and the ports they listen on."""
