"""How is a run carried out? What is set up, planned, checked, calibrated and measured."""
