"""The programs that do the work, one process each, and the commands between them and the driver."""
import os
import subprocess
import time
from pathlib import Path


class ProgramError(Exception):
    """A program that says that it cannot, or that is gone."""


def environment() -> dict[str, str]:
    """Without settings under which idle threads would spin beside the program whose turn it is."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(('OMP_', 'GOMP_', 'KMP_'))}
    return {**kept, 'TF_CPP_MIN_LOG_LEVEL': '3'}


class Program:
    """One process, doing one row's work under `label`. Its own output goes to a log file."""

    def __init__(self, label: str, command: list[str], log: Path) -> None:
        self.label, self.log, self.version = label, log, ''
        with open(log, 'w') as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            text=True, env=environment())

    def ask(self, *words: object) -> str:
        try:
            self.process.stdin.write(' '.join(map(str, words)) + '\n')
            self.process.stdin.flush()
            reply = self.process.stdout.readline().strip()
        except BrokenPipeError:
            reply = ''
        if not reply:
            lines = self.log.read_text(errors='replace').strip().splitlines() or ['no message']
            raise ProgramError('%s ended: %s' % (self.label, lines[-1]))
        if reply.startswith('error '):
            raise ProgramError('%s: %s' % (self.label, reply[len('error '):]))
        return reply

    def prepare(self, row: str, folder: Path, threads: int) -> None:
        self.version = self.ask('prepare', row, folder, threads).removeprefix('ready').strip()

    def answer(self, folder: Path) -> None:
        self.ask('answer', folder)

    def measure(self, warm: int, steps: int) -> float:
        """Seconds a step."""
        return float(self.ask('measure', warm, steps)) / steps

    def processor_seconds(self) -> float:
        """Time that processors have spent on it so far."""
        fields = Path('/proc/%d/stat' % self.process.pid).read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def memory(self) -> int:
        """Bytes of memory at most so far."""
        for line in Path('/proc/%d/status' % self.process.pid).read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) * 1024
        raise ProgramError(self.label + ' is gone')

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Bursts:
    """A program's turns: steps for about a fifth of a second, after some that are not counted."""
    SECONDS = 0.2
    WARM_SECONDS = 0.02

    def __init__(self, program: Program, steps: int = 0) -> None:
        self.program, self.warm, self.steps = program, 0, steps
        if steps:
            return
        steps, seconds = 1, program.measure(0, 1)
        while seconds * steps < self.WARM_SECONDS:
            steps *= 4
            seconds = program.measure(0, steps)
        self.steps = max(1, round(self.SECONDS / seconds))
        if seconds < self.WARM_SECONDS / 2:
            self.warm = round(self.WARM_SECONDS / seconds)

    def turn(self) -> float:
        time.sleep(0.02)  # until the threads of the program before it sleep
        return self.program.measure(self.warm, self.steps)
