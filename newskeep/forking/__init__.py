"""Processes forked from one that has loaded what they need, a zygote, in the place of new ones."""
