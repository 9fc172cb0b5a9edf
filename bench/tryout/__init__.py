"""What does each concurrency model make of somebody's own application, unchanged? What `python -m bench try` does."""
