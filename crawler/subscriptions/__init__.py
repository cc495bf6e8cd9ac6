"""What a subscriber sends to be let in: cookies, fields of requests, a log-in; and where it may go."""
