# Newskeep's; newskeep/_packages.py looks for this line.
