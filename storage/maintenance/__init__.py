"""Care of a whole archive: verify every byte, make the index again, copy it elsewhere."""
