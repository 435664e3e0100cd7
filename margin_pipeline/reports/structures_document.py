"""The page about option structures, written from their declarations.

Belongs here: turning the catalogue of structures into Markdown. Not here: saying anything about one that its entry does not say.

`python -m margin_pipeline.reports.structures_document > docs/option_structures.md` renews the page; a test holds it against the catalogue.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from margin_pipeline.margin.structures import COMPOSITES, STRUCTURES, Structure
from margin_pipeline.margin.structures.catalogue import CALL, CONVERTIBLE, LONG, PUT, STOCK, WARRANT
from margin_pipeline.margin.structures.requirements import REQUIREMENTS

KINDS = {STOCK: "stock", CALL: "call", PUT: "put", CONVERTIBLE: "convertible", WARRANT: "warrant"}
INTRODUCTION = """\
# Option structures

What the strategy-based method recognises. Each is one entry of `margin_pipeline/margin/structures/catalogue.py`: legs, conditions, the
requirement that applies, the rule that says so; a new structure is one entry more. Legs are numbered from 1; options of one structure are
on one underlying and of one contract size, and of one exercise style where they limit each other's loss. Stock counts in what one
contract delivers.

What remains is `long_stock`, `short_stock`, `long_option`, `naked_call`, `naked_put`, and the same of convertibles and warrants; series
that strategies hold long and short are `netted`.

A limited-risk combination without a name is a `universal_spread` (Cboe SR-CBOE-2012-043, 77 FR 54626; FINRA Notice 12-44): options of one
exercise style, no long of which expires before a short, at least as many longs as shorts of each type, margined at their greatest loss
over all prices of the underlying. It is admitted from 2012-10-26 on (`option_rates.yaml`, setting `universal_spread`; `balanced` asks for
as many longs as shorts of each type, the stricter reading of the rule; `none` admits named structures only). A universal spread is taken
apart into named structures wherever that costs nothing.
"""


def structures_document() -> str:
    """Return the page."""
    own = _section("With a requirement of their own", STRUCTURES, lambda s: _first_sentence(s.requirement))
    composite = _section(
        "Names for several groups",
        COMPOSITES,
        lambda s: " or ".join(" + ".join(f"`{name}`" for name in names) for names in _parts(s)),
        "They need together what their parts need; groups are joined under such a name where all their units match.",
        "parts",
    )
    return "\n".join([INTRODUCTION, own, composite])


def _section(
    heading: str, structures: Iterable[Structure], says: Callable[[Structure], str], text: str = "", column: str = "requirement"
) -> str:
    lines = [f"## {heading}\n", *([f"{text}\n"] if text else []), f"| structure | legs | conditions | {column} | rule | also called |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for s in structures:
        cells = (f"`{s.name}`", _legs(s), _conditions(s), says(s), s.reference, ", ".join(s.also_called))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _legs(structure: Structure) -> str:
    texts = []
    for leg in structure.legs:
        side, kind = "long" if leg.side == LONG else "short", KINDS[leg.kind]
        texts.append(f"{side} {kind}" if leg.ratio == 1 else f"{side} {leg.ratio} {kind}s")
    return ", ".join(texts)


def _conditions(structure: Structure) -> str:
    signs = {"==": "=", "!=": "≠", ">=": "≥"}
    texts = [
        f"{a + 1} American" if field == "american" else f"{field} {a + 1} {signs.get(comparison, comparison)} {b + 1}"
        for field, a, comparison, b in structure.conditions
    ]
    return ", ".join(texts)


def _first_sentence(requirement: str) -> str:
    return (REQUIREMENTS[requirement].__doc__ or "").strip().splitlines()[0].replace("|", "\\|")


def _parts(structure: Structure) -> list[tuple[str, ...]]:
    """Parts of a composite, alternatives with the same names once."""
    return list(dict.fromkeys(tuple(name for name, _ in alternative) for alternative in structure.parts))


if __name__ == "__main__":
    sys.stdout.write(structures_document())
