"""The published index: months of captures as files in the store, read by range beside the database."""
