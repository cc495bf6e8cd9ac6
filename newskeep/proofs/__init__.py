"""What a proof proves, in words, and the page that checks one in a browser."""
