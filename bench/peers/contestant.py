"""What all peers in Python have in common: commands and answers as `bench/contestant.ts` says."""

import json
import resource
import sys
import time
from typing import Callable

Workloads = dict[str, Callable[[], float]]


def thread_words(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def peak_mb() -> float:
    """Largest resident memory; Linux's `ru_maxrss` may be that of the process which started this one."""
    try:
        lines = open("/proc/self/status").read().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(run: Callable[[], float], count: int) -> dict:
    times, work, values = [], [], []
    for _ in range(count):
        start, used = time.perf_counter(), time.process_time()
        values.append(run())
        times.append(1e3 * (time.perf_counter() - start))
        work.append(1e3 * (time.process_time() - used))
    return {"ms": times, "cpuMs": work, "value": values[0], "peakMb": peak_mb()}


def answer_commands(begin: Callable[[dict], tuple[str, Workloads]]) -> None:
    """`begin` makes a name and workloads of what is loaded."""
    workloads: Workloads = {}
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if "load" in command:
                name, workloads = begin(command["load"])
                answer = {"name": name}
            else:
                answer = timed(workloads[command["run"]], command["count"])
        except Exception as error:  # a sentence for the bench, not a trace
            answer = {"error": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"}
        print(json.dumps(answer), flush=True)
