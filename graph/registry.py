"""Which node types exist: families found by the entry-point group `spellwire.nodes`.

An entry point names a package (all its modules are families: dropping a file in is enough) or one module. A family
that can't be imported or contradicts itself is a `problem`; the rest loads. Names that begin with `_` are private.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

from .declare import Declaration, Node
from .effect import Effect
from .frozen import FrozenDict

__all__ = [
    "ENTRY_POINTS",
    "FamilyProblem",
    "Origin",
    "Registry",
    "find_families",
    "registry",
    "with_requires",
]

ENTRY_POINTS = "spellwire.nodes"


@dataclass(frozen=True)
class Origin:
    """What brought a node type: a distribution with its version ("" for a file), and the module."""

    distribution: str
    version: str
    module: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}" if self.distribution else self.module


@dataclass(frozen=True)
class FamilyProblem:
    """A family, or a node type of it, that is not there, and why."""

    where: str
    cause: str

    def __str__(self) -> str:
        return f"{self.where}: {self.cause}"


class Registry(Mapping[str, Declaration]):
    """Node types by id, sorted; immutable once made.

    Attributes:
        origins: type id → what brought it.
        problems: families and types that could not be taken in.
    """

    def __init__(
        self,
        found: Iterable[tuple[type[Node], Origin]] = (),
        problems: Iterable[FamilyProblem] = (),
    ):
        declarations: dict[str, Declaration] = {}
        self.origins: dict[str, Origin] = {}
        faults = list(problems)
        for cls, origin in found:
            made = cls.declaration
            first = declarations.setdefault(made.type, made)
            if first is made:
                self.origins[made.type] = origin
            elif first.cls is not cls:
                there = self.origins[made.type]
                faults.append(
                    FamilyProblem(
                        origin.module, f"{made.type!r} is already declared by {there.module} ({there})"
                    )
                )
        self._declarations = dict(sorted(declarations.items()))
        self.problems = tuple(faults)

    @classmethod
    def of(cls, *nodes: type[Node]) -> Registry:
        """A registry of just these classes, for tests."""
        return cls((node, Origin("", "", node.__module__)) for node in nodes)

    @classmethod
    def from_file(cls, path: str | Path) -> Registry:
        """The node types that a .py file declares. What is wrong with it is in `problems`."""
        file = Path(path).resolve()
        origin = Origin("", "", str(file))
        try:
            return cls((node, origin) for node in _declared(_import_file(file)))
        except (Exception, SystemExit) as error:
            return cls(problems=[FamilyProblem(str(file), _cause(error))])

    def merged(self, *others: Registry) -> Registry:
        """This one and more; the first declaration of a type stays."""
        every = (self, *others)
        found = ((d.cls, r.origins[d.type]) for r in every for d in r.values())
        return Registry(found, (p for r in every for p in r.problems))

    def requires(self, types: Iterable[str]) -> dict[str, str]:
        """Distribution → version for these node types, as `requires` in an effect."""
        origins = {self.origins[t] for t in types if t in self.origins}
        return dict(sorted((o.distribution, o.version) for o in origins if o.distribution))

    def families(self) -> dict[str, tuple[Declaration, ...]]:
        """Declarations by the first word of their type."""
        made: dict[str, list[Declaration]] = {}
        for declaration in self.values():
            made.setdefault(declaration.family, []).append(declaration)
        return {name: tuple(members) for name, members in made.items()}

    def nearest(self, type_id: str) -> str | None:
        """A type whose name is like this one, to offer where it is unknown."""
        from difflib import get_close_matches

        return next(iter(get_close_matches(type_id, self, 1)), None)

    def __getitem__(self, type_id: str) -> Declaration:
        return self._declarations[type_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declarations)

    def __len__(self) -> int:
        return len(self._declarations)

    def __repr__(self) -> str:
        return f"<Registry of {len(self)} node types, {len(self.problems)} problems>"


@cache
def registry() -> Registry:
    """The installed node types, imported on the first call. `registry.cache_clear()` looks again."""
    return find_families()


def with_requires(effect: Effect, registry: Registry) -> Effect:
    """The effect with `requires` as these node types have it; call it before saving.

    While some type of it is unknown here, what it required of absent distributions stays: one of them brings it.
    """
    types = effect.types()
    present = {origin.distribution for origin in registry.origins.values()}
    unknown = any(t not in registry for t in types)
    kept = {name: v for name, v in effect.requires.items() if unknown and name not in present}
    return replace(effect, requires=FrozenDict(sorted((kept | registry.requires(types)).items())))


def find_families() -> Registry:
    """Import every installed family; ours first, so that a stranger's can't take its names."""
    from importlib.metadata import entry_points

    found: list[tuple[type[Node], Origin]] = []
    problems: list[FamilyProblem] = []
    points = {(p.value, p.name): p for p in entry_points(group=ENTRY_POINTS)}
    for point in sorted(points.values(), key=lambda p: (p.name != "spellwire", p.name, p.value)):
        dist = point.dist
        name, version = (dist.name, dist.version) if dist else ("", "")
        for module in _modules(point.value.partition(":")[0], problems):
            found += ((node, Origin(name, version, module.__name__)) for node in _declared(module))
    return Registry(found, problems)


def _modules(name: str, problems: list[FamilyProblem]) -> Iterator[ModuleType]:
    """A module and, where it is a package, all the modules in it; those that fail become problems."""
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything while it is imported
        problems.append(FamilyProblem(name, _cause(error)))
        return
    yield module
    for info in sorted(pkgutil.iter_modules(getattr(module, "__path__", ())), key=lambda info: info.name):
        if not info.name.startswith("_"):
            yield from _modules(f"{name}.{info.name}", problems)


def _declared(module: ModuleType) -> list[type[Node]]:
    """The node classes a module itself declares, in order; what it imports from elsewhere is another's."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Node)
        and value.__module__ == module.__name__
        and "declaration" in vars(value)
    ]


def _import_file(file: Path) -> ModuleType:
    name = f"spellwire_file_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are resolved, and dataclasses made, through it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _cause(error: BaseException) -> str:
    """One line that says what happened, and where in the family."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if isinstance(error, SyntaxError) or trace is None:
        return f"{type(error).__name__}: {error}"
    frame = trace.tb_frame
    if frame.f_globals.get("__name__", "").startswith(("importlib", "spellwire.graph")):
        return f"{type(error).__name__}: {error}"
    return f"{type(error).__name__}: {error} ({Path(frame.f_code.co_filename).name}, line {trace.tb_lineno})"
