"""What handing a share of a layer to another process costs, beside handing it to a thread.

    python bench/sharing.py [--rounds 20]

The same addition on arrays of several sizes: in one piece on one thread, and in two halves side by side. The three take
turns, a hundred runs at a time; medians in microseconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np

from convcost.engine.kernels.convolution.workspace import Program, aligned, execute
from convcost.engine.static.team import Processes, Team, Threads, forks

SIZES = (2_000, 16_000, 64_000, 256_000, 1_000_000)
TURN = 100


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    kinds: list[Callable[[list[list[Program]], int], Team]] = [Processes, Threads] if forks() else [Threads]
    print(f"{'elements':>10}{'one thread':>14}" + "".join(f"{kind.__name__:>14}" for kind in kinds))
    for size in SIZES:
        y = aligned((size,), np.float32, common=True)
        y[:] = 0
        one = np.float32(1)
        whole: Program = [(np.add, (y, one, y))]
        halves: list[Program] = [[(np.add, (h, one, h))] for h in (y[: size // 2], y[size // 2 :])]
        teams = [kind([halves], 2) for kind in kinds]
        calls = [partial(execute, [whole]), *(partial(team.run, 0) for team in teams)]
        times: list[list[float]] = [[] for _ in calls]
        for _ in range(rounds):
            for call, found in zip(calls, times, strict=True):
                for _ in range(TURN):
                    start = perf_counter()
                    call()
                    found.append(perf_counter() - start)
        print(f"{size:10,}" + "".join(f"{median(found) * 1e6:11.1f} µs" for found in times))
        for team in teams:
            team.close()


if __name__ == "__main__":
    main()
