"""A day's small files into large ones, safe at every step: plan, merge, run, and recovery of what was cut short."""
