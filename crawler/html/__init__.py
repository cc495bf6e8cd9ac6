"""A page as a tree, as blocks, as words and as what its JSON-LD says; discovery and extraction share it."""
