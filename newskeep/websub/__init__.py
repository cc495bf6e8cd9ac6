"""WebSub, as a subscriber (W3C Recommendation of 23 January 2018): hubs tell `serve` what a site's feeds have new.

`topics` finds the hubs that feeds name, in what the crawls archived of them; `subscriber` asks hubs for what is
wanted, again before a lease ends, and to stop for what is not; `hub_request` is one such request. `subscription` and
`store` are what is known of each, on disk; `callback` what a hub may say to us, `signature` whether it was the hub.
"""
