"""One row: the same work checked and measured in several programs."""
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from interval import median_interval
from program import Bursts, Program, ProgramError
from rows import DEVIATION_TOLERANCE, Row


@dataclass
class Side:
    """What one program gave in one row."""
    name: str
    version: str = ''
    seconds: list[float] = field(default_factory=list)  # a step, one for each pair
    distance: float = 0.0  # of its answer from Varflow's
    ratio: tuple[float, float, float] | None = None  # its time over Varflow's: median, lower and upper end
    problem: str = ''

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return median(self.seconds)


@dataclass
class Result:
    row: Row
    varflow: Side
    peers: list[Side]
    wrong: bool = False  # an answer differs or is missing
    idle_share: float = 0.0  # of one processor's time that programs took whose turn it was not

    @property
    def bar(self) -> Side | None:
        """The peer that decides: of those of the bar the one with the worst ratio for Varflow."""
        measured = [p for p in self.peers if p.ratio and p.name in self.row.bar]
        if not measured:
            return None
        return min(measured, key=self.decisive) if self.row.at_least else max(measured, key=self.decisive)

    def decisive(self, side: Side) -> float:
        """The end of a ratio's interval that the row is judged by."""
        return side.ratio[1] if self.row.at_least else side.ratio[2]

    @property
    def reached(self) -> bool:
        if not self.bar or any(p.problem for p in self.peers if p.name in self.row.bar):
            return False
        end = self.decisive(self.bar)
        return end >= self.row.at_least if self.row.at_least else end <= self.row.at_most


class Comparison:
    """`commands`: how each program starts, by its name; Varflow's own also compares answers."""

    def __init__(self, commands: dict[str, list[str]], pairs: int, threads: int, folder: Path) -> None:
        self.commands, self.pairs, self.threads, self.folder = commands, pairs, threads, folder

    def run(self, row: Row, names: list[str]) -> Result:
        """Measures Varflow and the programs of `names` in turn."""
        sides = [Side('varflow')] + [Side(name) for name in names]
        result = Result(row, sides[0], sides[1:])
        programs = [Program(s.name, self.commands[s.name], self.folder / (s.name + '.log')) for s in sides]
        try:
            ready = self.prepare(row, sides, programs, result)
            if not sides[0].problem:
                self.measure(row, ready, result)
        finally:
            for program in programs:
                program.close()
        for side in result.peers:
            if side.seconds:
                side.ratio = median_interval([p / v for p, v in zip(side.seconds, sides[0].seconds)])
        return result

    def prepare(self, row: Row, sides: list[Side], programs: list[Program],
                result: Result) -> list[tuple[Side, Program]]:
        """Gives all the same start and compares what they make of it. Returns those whose answer is right."""
        ready = []
        for side, program in zip(sides, programs):
            print('%s: preparing %s' % (row.name, side.name), file=sys.stderr)
            work = row.work or row.name
            if side is not sides[0]:
                work = row.peer_work or work
            try:
                program.prepare(work, self.folder / 'start', self.threads)
                program.answer(self.folder / side.name)
                side.version = program.version
            except ProgramError as error:
                side.problem = str(error)
            if not side.problem and side is not sides[0]:
                self.check(row, side)
            if side.problem:
                result.wrong = True
                continue
            ready.append((side, program))
        return ready

    def check(self, row: Row, side: Side) -> None:
        own = side.name in row.own_numbers
        tolerance = DEVIATION_TOLERANCE if own else row.tolerance
        done = subprocess.run(self.commands['varflow'] + ['compare', *(str(self.folder / f) for f in (
            'start', 'varflow', side.name)), str(tolerance)] + (['deviation'] if own else []),
            stdout=subprocess.PIPE, text=True)
        distance, name = (done.stdout.splitlines() or ['inf nothing to compare'])[0].split(' ', 1)
        side.distance = float(distance)
        if done.returncode != 0:
            side.problem = 'another answer: %s is %s away, and %g is allowed' % (name, distance, tolerance)

    def measure(self, row: Row, ready: list[tuple[Side, Program]], result: Result) -> None:
        steps = -(-row.steps // self.pairs)
        turns = [(side, Bursts(program, steps)) for side, program in ready]
        print('%s: measuring %d pairs' % (row.name, self.pairs), file=sys.stderr)
        idle, elapsed = 0.0, 0.0
        for _ in range(self.pairs):
            turns = turns[1:] + turns[:1]  # nobody always comes after the same one, or first
            for side, bursts in turns:
                others = [program for _, program in ready if program is not bursts.program]
                before, begin = sum(p.processor_seconds() for p in others), time.perf_counter()
                side.seconds.append(bursts.turn())
                idle += sum(p.processor_seconds() for p in others) - before
                elapsed += time.perf_counter() - begin
        result.idle_share = idle / elapsed
