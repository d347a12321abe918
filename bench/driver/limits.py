"""Figures of Varflow alone."""
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from interval import median_interval
from program import Program, ProgramError
from rows import Limit


@dataclass
class Figure:
    limit: Limit
    values: list[float] = field(default_factory=list)
    problem: str = ''

    @property
    def interval(self) -> tuple[float, float, float]:
        return median_interval(self.values)

    @property
    def reached(self) -> bool:
        return bool(self.values) and self.interval[2] <= self.limit.at_most


class Limits:
    def __init__(self, worker: list[str], command: list[str], count: int, threads: int, folder: Path) -> None:
        self.worker, self.command, self.count, self.threads, self.folder = worker, command, count, threads, folder

    def run(self, limit: Limit) -> Figure:
        figure = Figure(limit)
        print('%s: measuring' % limit.name, file=sys.stderr)
        try:
            figure.values = getattr(self, limit.figure)(limit)
        except (ProgramError, subprocess.CalledProcessError) as error:
            figure.problem = str(error)
        return figure

    def program(self, work: str) -> Program:
        program = Program('varflow', self.worker, self.folder / 'varflow.log')
        program.prepare(work, self.folder / 'start', self.threads)
        return program

    def start(self, limit: Limit) -> list[float]:
        """Seconds from before the process is made until it has ended."""
        times = []
        for _ in range(self.count + 1):
            begin = time.perf_counter()
            subprocess.run(self.command + ['--help'], stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - begin)
        return times[1:]  # the first one read the program from the disk

    def memory(self, limit: Limit) -> list[float]:
        peaks = []
        for _ in range(self.count):
            program = self.program('scale_kernel')
            program.measure(0, 1000)
            peaks.append(float(program.memory()))
            program.close()
        return peaks

    def plan(self, limit: Limit) -> list[float]:
        program = self.program(limit.name)
        program.measure(0, 1)
        seconds = [program.measure(0, 1) / limit.nodes for _ in range(self.count)]
        program.close()
        return seconds
