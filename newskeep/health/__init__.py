"""How each site goes: its history in numbers, and one verdict with the reason and what to do."""
