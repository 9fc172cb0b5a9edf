"""What a person sees: pure functions of results, and listeners that print as a run goes on."""
