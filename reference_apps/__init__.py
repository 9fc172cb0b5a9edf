"""The same contract in what people would pick instead of Flask, and on other async database stacks: one file each."""
