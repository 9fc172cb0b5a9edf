"""What runs inside the process of somebody's application: the standard library alone, from Python 3.9 on."""
