"""Tags, notes and collections put into the store, and how the index learns of them."""
