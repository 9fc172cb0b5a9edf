"""How a run is carried out: what is planned, checked, calibrated and measured, in which environment."""
