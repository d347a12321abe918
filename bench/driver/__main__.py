"""Measures Varflow beside TensorFlow and PyTorch: what ./dev bench runs. bench/README.md explains the table."""
import argparse
import sys
import tempfile
from pathlib import Path

import report
from compare import Comparison, Result
from interval import LEAST_VALUES
from limits import Figure, Limits
from rows import DETERMINISTIC, INLINE, MAIN_PEERS, OTHER_PEERS, ROWS, Limit

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / 'build/bench-venv/bin/python'
PEERS = ROOT / 'bench/peers'


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='./dev bench', description=__doc__, epilog='Exit code 0: measured, whatever was reached; 1: an answer was '
        'wrong or a row failed; 2: wrong use. Rows: ' + ', '.join(r.name for r in ROWS))
    parser.add_argument('--row', action='append', metavar='NAME', choices=[r.name for r in ROWS],
                        help='only this row; may be given several times')
    parser.add_argument('--pairs', type=int, default=30, metavar='N', help='turns of each program (default 30)')
    parser.add_argument('--threads', type=int, default=2, metavar='N', help='of each program (default 2)')
    parser.add_argument('--all-peers', action='store_true', help='also TensorFlow XLA, torch.compile and JAX')
    parser.add_argument('--json', action='store_true', help='JSON with each time in place of the table')
    for name in ('tensorflow', 'torch', 'jax'):
        parser.add_argument('--python-' + name, type=Path, metavar='PYTHON', default=VENV,
                            help='interpreter that has %s (default: that of ./dev bench --peers)' % name)
    parser.add_argument('--worker', type=Path, default=ROOT / 'build/release/bench/varflow_worker',
                        help="Varflow's program")
    parser.add_argument('--command', type=Path, default=ROOT / 'build/release/tools/varflow', help='varflow itself')
    options = parser.parse_args()
    if options.pairs < LEAST_VALUES:
        parser.error('--pairs must be at least %d: with fewer there is no interval of 95 %%' % LEAST_VALUES)
    if options.threads < 1:
        parser.error('--threads must be at least 1')
    return options


def commands(options: argparse.Namespace) -> dict[str, list[str]]:
    """How to start each program that is there."""
    python = {'tensorflow': (options.python_tensorflow, ['tensorflow_peer.py']),
              'tensorflow_inline': (options.python_tensorflow, ['tensorflow_peer.py', '--inline']),
              'torch': (options.python_torch, ['torch_peer.py']),
              'tensorflow_xla': (options.python_tensorflow, ['tensorflow_xla_peer.py']),
              'torch_compile': (options.python_torch, ['torch_peer.py', '--compile']),
              'jax': (options.python_jax, ['jax_peer.py'])}
    known = {name: [str(options.worker)] for name in ('varflow',) + DETERMINISTIC}
    for name in MAIN_PEERS + INLINE + (OTHER_PEERS if options.all_peers else ()):
        interpreter, (script, *rest) = python[name]
        if interpreter.exists():
            known[name] = [str(interpreter), str(PEERS / script)] + rest
    return known


def main() -> int:
    options = arguments()
    known = commands(options)
    if not set(known) & set(MAIN_PEERS):
        print('No peers: ./dev bench --peers installs them. Varflow is measured alone.', file=sys.stderr)
    results: list[Result | Figure] = []
    where = report.machine()
    if not options.json:
        print('%(processor)s, %(cores)d cores, load %(load_average).1f' % where, end='; ')
        print('%d threads, %d pairs' % (options.threads, options.pairs), end='\n\n')
    for row in ROWS:
        if options.row and row.name not in options.row:
            continue
        with tempfile.TemporaryDirectory(dir=ROOT / 'build') as folder:
            if isinstance(row, Limit):
                limits = Limits(known['varflow'], [str(options.command)], options.pairs, options.threads, Path(folder))
                result = limits.run(row)
            else:
                comparison = Comparison(known, options.pairs, options.threads, Path(folder))
                result = comparison.run(row, [p for p in row.bar + row.beside if p in known])
        results.append(result)
        if not options.json:
            print(report.text(result), flush=True)
    if options.json:
        print(report.as_json(results, where))
    return 1 if any(r.problem if isinstance(r, Figure) else r.wrong for r in results) else 0


if __name__ == '__main__':
    sys.exit(main())
