"""From one model to another: which layers belong together, and what each costs more."""
