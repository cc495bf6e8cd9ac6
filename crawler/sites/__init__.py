"""A site: how it is declared, where its links come from, what is fetched of it, what became of it."""
