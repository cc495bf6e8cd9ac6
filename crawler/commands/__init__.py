"""Commands of Scrapy's that do more here than Scrapy's own, one file each; `COMMANDS_MODULE` names this package."""
