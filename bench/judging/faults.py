"""What do the faults of a run say? What each did to each model, which setting cures that, and where a model is weak."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.judging.fault_rules import found
from bench.judging.found import SEVERITIES, Found, better
from bench.results.faults import FaultCell, FaultFacts, Faults
from bench.words import join

# So many weak points of a model are named.
NAMED = 3


@dataclass(frozen=True)
class JudgedCell:
    """A fault on a model, as it is or with a cure, and what is said of it."""

    cell: FaultCell
    found: Found
    cures: bool | None = None
    """Of a cure, whether the model is better off with it; None without one, where there was nothing to cure, and where
    that is not known."""


@dataclass(frozen=True)
class JudgedFault:
    """A fault, and what it did."""

    facts: FaultFacts
    cells: Mapping[tuple[str, str], JudgedCell]
    """By the name of the model and that of the cure, which is empty for the model as it is."""

    @property
    def models(self) -> list[str]:
        """Those that it was inflicted on, in the order of the run."""
        return list(dict.fromkeys(model for model, _ in self.cells))

    @property
    def cures(self) -> list[str]:
        """The settings that were tried against it."""
        return list(dict.fromkeys(cure for _, cure in self.cells if cure))

    def with_cure(self, cure: str) -> list[JudgedCell]:
        """The models with a cure."""
        return [one for (_, name), one in self.cells.items() if name == cure]

    def settings(self, cure: str) -> list[tuple[str, list[str]]]:
        """What one writes to have the cure, and the models that it is for."""
        found: dict[str, list[str]] = {}
        for one in self.with_cure(cure):
            found.setdefault(one.cell.setting, []).append(one.cell.model)
        return list(found.items())


@dataclass(frozen=True)
class WeakPoint:
    """A fault that hurts a model, and what was tried against it."""

    fault: FaultFacts
    found: Found
    tried: tuple[JudgedCell, ...]
    """The model with each setting that is to cure it."""

    @property
    def cured(self) -> tuple[JudgedCell, ...]:
        """Those of them that do."""
        return tuple(one for one in self.tried if one.cures)

    @property
    def sentence(self) -> str:
        """What happens, and what to write against it."""
        said = f"{self.fault.name}: {self.fault.title}; {self.found.text}."
        if not self.tried:
            return said
        if not self.cured:
            return f"{said} No setting that was tried cures it."
        one = self.cured[0]
        return f"{said} Cured by {one.cell.cure} ({one.cell.setting}): {one.found.text}."


@dataclass(frozen=True)
class JudgedFaults:
    """All faults of a run; without any if none was inflicted."""

    faults: tuple[JudgedFault, ...] = ()

    @property
    def models(self) -> list[str]:
        """Those that faults were inflicted on."""
        return list(dict.fromkeys(model for fault in self.faults for model in fault.models))

    @property
    def cells(self) -> list[JudgedCell]:
        """All of them."""
        return [one for fault in self.faults for one in fault.cells.values()]

    def weak_points(self, model: str) -> list[WeakPoint]:
        """What hurts a model as it is, the worst first."""
        found = [(fault, one) for fault in self.faults if (one := fault.cells.get((model, ""))) and one.found.weak]
        found.sort(key=lambda each: -SEVERITIES.index(each[1].found.severity))
        return [WeakPoint(fault.facts, one.found, tuple(with_cures(fault, model))) for fault, one in found]

    def tried(self, model: str) -> int:
        """How many faults were inflicted on a model."""
        return sum(one.found.severity in SEVERITIES for one in self.cells
                   if one.cell.model == model and not one.cell.cure)  # fmt: skip


def with_cures(fault: JudgedFault, model: str) -> Iterator[JudgedCell]:
    """The model with each setting that is to cure the fault."""
    yield from (one for (name, cure), one in fault.cells.items() if name == model and cure)


def judged_faults(faults: Faults | None) -> JudgedFaults:
    """What the faults of a run say."""
    if faults is None:
        return JudgedFaults()
    own = {name: [cell for cell in faults.cells.values() if cell.fault == name] for name in faults.faults}
    return JudgedFaults(tuple(judged_fault(facts, own[name]) for name, facts in faults.faults.items() if own[name]))


def judged_fault(facts: FaultFacts, cells: Sequence[FaultCell]) -> JudgedFault:
    """One fault and its cells."""
    plain = {cell.model: found(cell) for cell in cells if not cell.cure}
    return JudgedFault(facts, {(cell.model, cell.cure): judged_cell(cell, plain.get(cell.model)) for cell in cells})


def judged_cell(cell: FaultCell, plain: Found | None) -> JudgedCell:
    """A cell, and whether its cure makes the model better off than it is without."""
    own = found(cell)
    known = plain is not None and {own.severity, plain.severity} <= set(SEVERITIES) and plain.severity != SEVERITIES[0]
    return JudgedCell(cell, own, better(own, plain) if plain and known and cell.cure else None)


def bad_days(faults: JudgedFaults, models: Sequence[str]) -> str:
    """What a verdict says of faults: which of these models is hurt by how many, and by which; empty without any."""
    known = [(model, faults.tried(model), faults.weak_points(model)) for model in models if faults.tried(model)]
    if not known:
        return ""
    parts = [f"{model} is hurt by {len(weak)} of {tried}{f' ({named(weak)})' if weak else ''}"
             for model, tried, weak in known]  # fmt: skip
    curable = [(model, one) for model, _, weak in known for one in weak if one.cured]
    end = f"; a setting cures {len(curable)} of these {sum(len(weak) for *_, weak in known)}" if curable else ""
    return f"Faults, as in production: {join(parts)}{end}."


def named(weak: Sequence[WeakPoint]) -> str:
    """`crash, deploy and 2 others`."""
    names = [one.fault.name for one in weak]
    return join([*names[:NAMED], f"{len(names) - NAMED} others"] if len(names) > NAMED + 1 else names)
