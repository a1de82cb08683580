"""The command `babychain`: it starts the parts, sets up what they need, and shows a run from end to end."""
