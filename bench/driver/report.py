"""Results as text and as JSON."""
import json
import os
from pathlib import Path

from compare import Result, Side

UNITS = ((1.0, 's'), (1e-3, 'ms'), (1e-6, 'us'), (1e-9, 'ns'))


def time_text(seconds: float) -> str:
    unit, name = next((u for u in UNITS if seconds >= u[0]), UNITS[-1])
    return '%.3g %s' % (seconds / unit, name)


def versions(result: Result) -> str:
    return ', '.join(dict.fromkeys(s.version for s in [result.varflow] + result.peers if s.version))


def machine() -> dict[str, object]:
    model = next((line.split(':')[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), 'unknown processor')
    return {'processor': model, 'cores': os.cpu_count(), 'load_average': os.getloadavg()[0]}


def side_line(side: Side) -> str:
    name = '  %-18s' % side.name
    if not side.seconds:
        return name + side.problem
    line = '%s%10s%10s' % (name, time_text(side.best), time_text(side.median))
    if side.ratio:
        line += '%9.3g  [%.3g, %.3g]' % side.ratio
        line = '%-69s%.1e' % (line, side.distance)
    return line


def verdict(result: Result) -> str:
    bar = result.bar
    if not bar:
        return '  nobody to compare with'
    reached = bar.ratio[1] >= result.row.at_least
    return '  %.3g times as fast as %s (lower end); to reach: %g: %s' % (
        bar.ratio[1], bar.name, result.row.at_least, 'reached' if reached else 'missed')


HEAD = '  %-18s%10s%10s%9s  %-18s%s' % ('a step', 'best', 'median', 'ratio', '95 % interval', 'answer differs by')


def text(result: Result) -> str:
    lines = ['%s: %s' % (result.row.name, result.row.title), '  ' + versions(result), HEAD]
    lines += [side_line(side) for side in [result.varflow] + result.peers] + [verdict(result)]
    return '\n'.join(lines) + '\n'


def side_json(side: Side) -> dict[str, object]:
    if not side.seconds:
        return {'name': side.name, 'problem': side.problem}
    d = {'name': side.name, 'version': side.version, 'best': side.best, 'median': side.median, 'seconds': side.seconds}
    if side.ratio:
        d |= {'ratio': side.ratio[0], 'interval': side.ratio[1:], 'distance': side.distance}
    return d


def as_json(results: list[Result], where: dict[str, object]) -> str:
    rows = []
    for r in results:
        rows.append({'name': r.row.name, 'title': r.row.title, 'varflow': side_json(r.varflow),
                     'peers': [side_json(p) for p in r.peers], 'at_least': r.row.at_least,
                     'bar': r.bar.name if r.bar else None,
                     'reached': bool(r.bar and r.bar.ratio[1] >= r.row.at_least)})
    return json.dumps({'machine': where, 'rows': rows}, indent=1)
