"""`python -m benchmarks [NAME …]`: runs every module here that has a `run() -> list[Result]`, or the named ones.

Belongs here: finding and running. Not here: what is timed.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.harness import Result, table


def main(wanted: list[str]) -> int:
    """Run the benchmarks and print each table as it is ready; 2 for an unknown name, else 0."""
    names = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
    unknown = [name for name in wanted if name not in names]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    results: list[Result] = []
    for name in wanted or names:
        module = importlib.import_module(f"benchmarks.{name}")
        if not hasattr(module, "run"):
            continue
        print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
        found = module.run()
        print(table(found), flush=True)
        results += found
    judged = [r for r in results if r.is_met is not None]
    print(f"\n{sum(bool(r.is_met) for r in judged)} of {len(judged)} targets met")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
