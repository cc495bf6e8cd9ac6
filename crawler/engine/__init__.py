"""What Scrapy calls: the download handler, the queue of hosts, middlewares, pipelines, extensions."""
