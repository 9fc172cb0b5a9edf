"""What does a bad day do to each model: a deploy, a crash, a database that goes away, slow clients? And what cures it?

fault.py says what a fault is, running.py inflicts one on servers while requests are sent to them, and each of the other
files has the faults of one kind.
"""
