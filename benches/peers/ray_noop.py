"""Ray on a function that returns its argument.

ray_noop.py [--tasks N]. Prints one line of JSON. Submission and waiting are timed, the cluster's start is not.
Nothing of it is stored: a lost head node loses every task.
"""

import argparse
import json
import os
import time

import ray


@ray.remote
def noop(number):
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=10_000)
    options = parser.parse_args()
    cores = os.cpu_count()
    ray.init(num_cpus=cores, include_dashboard=False, logging_level="error", log_to_driver=False)
    ray.get([noop.remote(number) for number in range(100)])
    begun = time.perf_counter()
    ray.get([noop.remote(number) for number in range(options.tasks)])
    seconds = time.perf_counter() - begun
    ray.shutdown()
    print(json.dumps({
        "version": ray.__version__,
        "what": f"{cores} processes, a function call, in memory",
        "tasks_per_second": options.tasks / seconds,
    }))
