"""What is installed, reachable, missing or misconfigured, each with its cure: one check a line."""
