"""Starts jobs in processes that are forked from this one, which has everything imported and no threads yet.

A line of JSON a job on standard input: source, destination (null: in place), file for the report. Its process's number
comes back on standard output. The job's workers are threads of its process, so that SIGKILL ends all of it at once.
"""

import json
import os
import signal
import sys

import distributed
import torch  # noqa: F401  # so that no job waits for it

import tinc_codec
import tinc_codec.encoding.encode
import tinc_codec.jobs.compress


def job(source, destination, report):
    codec = tinc_codec.TINCCodec(max_error=20, effort=1)
    settings = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.Client(**settings) as client:
        figures = tinc_codec.compress(source, destination, codec, client=client, progress=False)
    figures.save(report)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                job(**json.loads(line))
                status = 0
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(status)
        print(child, flush=True)


if __name__ == "__main__":
    main()
