"""Work that waits for any of many machines: jobs in PostgreSQL, by Procrastinate, and who may ask which host."""
