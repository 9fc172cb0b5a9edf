"""How each scenario is shown where it is not shown like every other: a file for each, found by the scenario's name."""
