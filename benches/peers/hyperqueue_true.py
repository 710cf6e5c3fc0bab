"""HyperQueue's Python package on `true`: the smallest task that it has starts a process.

hyperqueue_true.py [--tasks N]. Prints one line of JSON. Submission and waiting are timed, the cluster's start is not.
"""

import argparse
import importlib.metadata
import json
import os
import time

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

parser = argparse.ArgumentParser()
parser.add_argument("--tasks", type=int, default=10_000)
options = parser.parse_args()

with LocalCluster() as cluster:
    cluster.start_worker(WorkerConfig(cores=os.cpu_count()))
    client = cluster.client()
    job = Job()
    for _ in range(options.tasks):
        job.program(["true"], stdout=None, stderr=None)
    begun = time.perf_counter()
    client.wait_for_jobs([client.submit(job)])
    seconds = time.perf_counter() - begun

print(json.dumps({
    "version": importlib.metadata.version("hyperqueue"),
    "what": f"one worker of {os.cpu_count()} cores, a process of `true`, no journal",
    "tasks_per_second": options.tasks / seconds,
}))
