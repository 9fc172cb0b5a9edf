"""Processes that the bench starts and that never outlive it."""
