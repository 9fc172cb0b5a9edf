"""What a person sees in the terminal: it renders what judging said, and listens to a run as it goes on."""
