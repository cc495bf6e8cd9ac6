"""What runs when: sites that are due, the crontab block and the systemd units that start them, pings."""
