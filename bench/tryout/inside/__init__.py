"""The folder that somebody's interpreter finds `bench_tried` in; nothing else is in it."""
