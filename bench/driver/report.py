"""Results as text and as JSON."""
import json
import os
from pathlib import Path

from compare import Result, Side
from limits import Figure

UNITS = {'s': ((1.0, 's'), (1e-3, 'ms'), (1e-6, 'us'), (1e-9, 'ns')), 'B': ((1e6, 'MB'), (1e3, 'kB'))}
MOST_IDLE_SHARE = 0.02
HEAD = '  %-22s%10s%10s%8s  %-18s%s' % ('a step', 'best', 'median', 'ratio', '95 % interval', 'answer differs by')


def quantity(value: float, unit: str = 's') -> str:
    size, name = next((u for u in UNITS[unit] if value >= u[0]), UNITS[unit][-1])
    return '%.3g %s' % (value / size, name)


def machine() -> dict[str, object]:
    model = next((line.split(':')[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), 'unknown processor')
    return {'processor': model, 'cores': os.cpu_count(), 'load_average': os.getloadavg()[0]}


def side_line(side: Side) -> str:
    name = '  %-22s' % side.name
    if not side.seconds:
        return name + side.problem
    line = '%s%10s%10s' % (name, quantity(side.best), quantity(side.median))
    if side.ratio:
        line = '%-70s%.1e' % (line + '%8.3g  [%.3g, %.3g]' % side.ratio, side.distance)
    return line


def verdict(result: Result) -> str:
    bar, row = result.bar, result.row
    if not bar:
        return '  nobody to compare with'
    end, goal = ('lower', 'at least %.3g' % row.at_least) if row.at_least else ('upper', 'at most %.3g' % row.at_most)
    return '  %s: %.3g against %s (%s end), to be %s' % (
        'reached' if result.reached else 'MISSED', result.decisive(bar), bar.name, end, goal)


def text(result: Result | Figure) -> str:
    if isinstance(result, Figure):
        limit = result.limit
        if result.problem:
            return '%s: %s\n  %s\n' % (limit.name, limit.title, result.problem)
        return '%s: %s\n  %s: best %s, median %s [%s, %s], to be at most %s\n' % (
            limit.name, limit.title, 'reached' if result.reached else 'MISSED',
            *(quantity(v, limit.unit) for v in (min(result.values), *result.interval, limit.at_most)))
    sides = [result.varflow] + result.peers
    versions = ', '.join(dict.fromkeys(s.version for s in sides if s.version))
    lines = ['%s: %s' % (result.row.name, result.row.title), '  ' + versions, HEAD]
    lines += [side_line(side) for side in sides] + [verdict(result)]
    if result.idle_share > MOST_IDLE_SHARE:
        lines.append('  doubtful: programs whose turn it was not took %.0f %% of a processor' % (100 * result.idle_share))
    return '\n'.join(lines) + '\n'


def side_json(side: Side) -> dict[str, object]:
    if not side.seconds:
        return {'name': side.name, 'problem': side.problem}
    d = {'name': side.name, 'version': side.version, 'best': side.best, 'median': side.median, 'seconds': side.seconds}
    if side.ratio:
        d |= {'ratio': side.ratio[0], 'interval': side.ratio[1:], 'distance': side.distance}
    return d


def result_json(result: Result | Figure) -> dict[str, object]:
    if isinstance(result, Figure):
        limit = result.limit
        d = {'name': limit.name, 'title': limit.title, 'unit': limit.unit, 'at_most': limit.at_most,
             'reached': result.reached}
        if result.problem:
            return d | {'problem': result.problem}
        return d | {'median': result.interval[0], 'interval': result.interval[1:], 'values': result.values}
    row = result.row
    return {'name': row.name, 'title': row.title, 'varflow': side_json(result.varflow),
            'peers': [side_json(p) for p in result.peers], 'at_least': row.at_least, 'at_most': row.at_most,
            'idle_share': result.idle_share, 'bar': result.bar.name if result.bar else None, 'reached': result.reached}


def as_json(results: list[Result | Figure], where: dict[str, object]) -> str:
    return json.dumps({'machine': where, 'rows': [result_json(r) for r in results]}, indent=1)
