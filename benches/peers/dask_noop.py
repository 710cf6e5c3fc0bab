"""Dask distributed on a function that returns its argument.

dask_noop.py [--tasks N]. Prints one line of JSON. Submission and waiting are timed, the cluster's start is not.
Nothing of it is stored: a lost scheduler loses every task.
"""

import argparse
import json
import os
import time

import distributed
from distributed import Client, LocalCluster


def noop(number):
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=10_000)
    options = parser.parse_args()
    cores = os.cpu_count()
    with LocalCluster(n_workers=cores, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(noop, range(100), pure=False))
        begun = time.perf_counter()
        client.gather(client.map(noop, range(options.tasks), pure=False))
        seconds = time.perf_counter() - begun
    print(json.dumps({
        "version": distributed.__version__,
        "what": f"{cores} processes, a function call, in memory",
        "tasks_per_second": options.tasks / seconds,
    }))
