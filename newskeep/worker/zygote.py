"""The process that those of jobs are forked from: `python -P -m newskeep.worker.zygote`, from `processes`."""

from __future__ import annotations

from newskeep.forking.loaded import CRAWL
from newskeep.forking.zygote import Kind, main

#: As `ps -o comm` shows the process of a job.
JOB_NAME = "newskeep-job"
#: What jobs load on their way, for the greatest part.
LOADED = (
    *CRAWL,
    "newskeep.worker.job",
    "newskeep.alerts.telling",
    "newskeep.schedule.due_run",
    "sqlalchemy.dialects.postgresql",
    "storage.objects.s3.store",
    "storage.postgres",
)

if __name__ == "__main__":
    main(Kind(LOADED, "newskeep.worker.job", JOB_NAME))
