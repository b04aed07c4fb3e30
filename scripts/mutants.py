"""Mutants of the package's source: which there can be, which say nothing, a seeded sample.

A mutant is the source with one small thing changed: a sign, a comparison, a constant, a
condition. A test suite that pins the mathematics down fails on it; where every test still
passes, the changed thing is asserted nowhere. The changes are cosmic-ray's operators
(https://cosmic-ray.readthedocs.io); what is decided here, before any mutant is run:

one draw per place   every place that can change is drawn with the same chance, then one of
                     its changes; else `a - b`, with eleven replacements, would crowd out
                     a condition with one
same kind only       arithmetic becomes arithmetic (+ - * / // % **) and logic on arrays
                     logic (| & ^): a shift of a float is a TypeError, killed for nothing
left out             what cannot change a result: annotations and type aliases; the text of
                     errors and warnings (whatever stands inside `raise` or a call of
                     `warn`); figures formatted into a sentence (`{share:.1f}`); `strict=`,
                     `frozen=` and `slots=` flags; decorators that compile, cache or declare
                     (compilation is off); changes that the compiler itself finds equal
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

ARITHMETIC = {"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"}
LOGIC = {"BitOr", "BitAnd", "BitXor"}
BINARY_PARENTS = {"arith_expr", "term", "power", "expr", "and_expr", "xor_expr"}
"""Where parso puts operators between two values, as against stars and slashes of a call."""

SILENT_FLAGS = {"strict", "frozen", "slots", "kw_only"}
SILENT_DECORATORS = {"jit", "njit", "cache", "lru_cache", "overload", "override"}


@dataclass(frozen=True, order=True)
class Mutant:
    """One change of one file.

    Attributes
    ----------
    module : str, path below the package's folder
    line, column : int, where the change starts; lines from 1
    operator : str, cosmic-ray's name of it
    occurrence : int, cosmic-ray's count of the places of this operator in the file
    """

    module: str
    line: int
    column: int
    operator: str
    occurrence: int

    def source(self, package: Path) -> str:
        """Return the changed file."""
        code = (package / self.module).read_text(encoding="utf-8")
        changed = mutate_code(code, _operator(self.operator), self.occurrence)
        assert isinstance(changed, str), self
        return changed

    @property
    def family(self) -> str:
        """What is changed, without what it becomes."""
        return _family(self.operator)


def sample(package: Path, folders: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Draw places with equal chance, then one change of each, in the order drawn.

    Parameters
    ----------
    package : folder of the package
    folders : below it, the ones to change
    count : int, how many; all of them when there are fewer
    seed : int
    """
    files = sorted(p for f in folders for p in (package / f).rglob("*.py"))
    places = [p for path in files for p in _places(path, path.relative_to(package).as_posix())]
    draw = random.Random(seed)
    draw.shuffle(places)
    drawn: list[Mutant] = []
    for place in places:
        if len(drawn) == count:
            break
        changes = list(place)
        draw.shuffle(changes)
        # Nearly always the first; the compiler knows a few changes for what they are: none.
        drawn += next(([m] for m in changes if _tells(m, package)), [])
    return drawn


def number_of_places(package: Path, folders: Sequence[str]) -> int:
    """How many places there are to draw from."""
    files = (p for f in folders for p in (package / f).rglob("*.py"))
    return sum(len(_places(p, p.name)) for p in files)


def _places(path: Path, module: str) -> list[list[Mutant]]:
    """Return changes of one file by place."""
    code = path.read_text(encoding="utf-8")
    silent = list(_silent_spans(ast.parse(code)))
    tree = get_ast(code)
    places: dict[tuple[tuple[int, int], str], list[Mutant]] = {}
    for name in OperatorProvider():
        if not _wanted(name):
            continue
        operator, occurrence = _operator(name), -1
        for node in ast_nodes(tree):
            for start, end in operator.mutation_positions(node):
                occurrence += 1
                if _is_binary(name) and node.parent.type not in BINARY_PARENTS:
                    continue
                if name == "RemoveDecorator" and _decorator(node) in SILENT_DECORATORS:
                    continue
                if any(a <= start and end <= b for a, b in silent):
                    continue
                mutant = Mutant(module, start[0], start[1], name, occurrence)
                places.setdefault((start, _family(name)), []).append(mutant)
    return [places[key] for key in sorted(places)]


def _wanted(name: str) -> bool:
    kind, _, rest = name.partition("_")
    if kind == "ReplaceBinaryOperator":
        pair = set(rest.split("_"))
        return pair <= ARITHMETIC or pair <= LOGIC
    if kind == "ReplaceUnaryOperator":
        # Unary plus is the same as nothing, and ~ of a float a TypeError.
        return rest.startswith("Delete")
    if kind == "ReplaceComparisonOperator":
        one, other = rest.split("_")
        return one.startswith("Is") == other.startswith("Is")
    return kind not in {"VariableReplacer", "VariableInserter"}


def _family(name: str) -> str:
    kind, _, rest = name.partition("_")
    return f"{kind}_{rest.split('_')[-1 if rest.startswith('Delete') else 0]}" if rest else kind


def _is_binary(name: str) -> bool:
    return name.startswith("ReplaceBinaryOperator")


def _decorator(node: Any) -> str:
    return str(node.get_code()).strip().removeprefix("@").split("(")[0].split(".")[-1]


@cache
def _operator(name: str) -> Any:
    return OperatorProvider()[name]()


def _tells(mutant: Mutant, package: Path) -> bool:
    """Whether the change compiles to something else than the original."""
    before = (package / mutant.module).read_text(encoding="utf-8")
    try:
        after = compile(mutant.source(package), mutant.module, "exec", optimize=2)
    except (SyntaxError, ValueError, AttributeError):
        # The last: cosmic-ray cannot put another exception in place of a dotted name.
        return False
    return after.replace(co_filename="") != compile(before, mutant.module, "exec", optimize=2)


type _Span = tuple[tuple[int, int], tuple[int, int]]


def _silent_spans(tree: ast.Module) -> Iterator[_Span]:
    """Where a change cannot change a result, as (line, column) of start and end."""
    for node in ast.walk(tree):
        match node:
            case ast.Raise() | ast.TypeAlias():
                yield _span(node)
            case ast.Call(func=ast.Name(id="warn") | ast.Attribute(attr="warn")):
                yield _span(node)
            case ast.arg(annotation=ast.expr() as note) | ast.AnnAssign(annotation=note):
                yield _span(note)
            case ast.FunctionDef(returns=ast.expr() as note):
                yield _span(note)
            case ast.keyword(arg=str() as name) if name in SILENT_FLAGS:
                yield _span(node)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield _span(node)
            case ast.FormattedValue(format_spec=ast.JoinedStr()):
                yield _span(node)
            case _:
                pass


def _span(node: ast.stmt | ast.expr | ast.keyword) -> _Span:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
