"""Which cells of a notebook must run for some of them to mean what they mean in the whole notebook.

Grading needs the exercises, not the experiments between them, which take nine tenths of the time. This module reads
the cells, without running them, and follows the names from one to the next. It errs on the side of running: what a
cell may change counts as needed. What it cannot foresee, a name made up at run time, ends in a NameError, and
whoever grades then runs the whole notebook.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager

_BUILTINS = frozenset(dir(builtins))
_PYTHON_MAGIC = re.compile(r"\A\s*%%(?:time|capture|prun)\b.*\n")  # the cell below it is Python as usual

_NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass
class Names:
    """What a cell has to do with the global names.

    Attributes:
        reads: read before the cell itself binds them.
        later: read inside functions, so whenever those are called.
        binds: bound for certain, whatever they were before.
        changes: bound perhaps, or a part of what they name is.
        touches: called, or handed to a function, which may change what they name.
        fixed: imported, or defined as a function or class: being called changes nothing about these.
        imports: imported.
        opaque: the cell does what no name shows: a magic, a star import.
    """

    reads: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    opaque: bool = False


def needed(cells: Sequence[str], wanted: Collection[int]) -> set[int]:
    """The `wanted` cells and those that they hang on, directly or through others.

    Args:
        cells: sources of the code cells, in order; IPython's own syntax is understood.
        wanted: positions of the cells that must run.
    """
    facts = [names(source) for source in cells]
    fixed = set().union(*(fact.fixed for fact in facts)) | _BUILTINS
    chosen = set(wanted) | {i for i, fact in enumerate(facts) if fact.opaque}
    todo = list(chosen)
    while todo:
        at = todo.pop()
        found = {i for name in facts[at].reads for i in _makers(facts, name, name in fixed, before=at)}
        found |= {i for name in facts[at].later for i in _makers(facts, name, name in fixed)}
        todo += found - chosen
        chosen |= found
    return chosen


@lru_cache(512)  # most cells of a lesson are the same in every learner's notebook
def names(source: str) -> Names:
    """What a cell has to do with the global names; not to be changed by whoever asks."""
    found = Names(opaque=source.lstrip().startswith("%%"))
    try:
        code = _plain(source)
        tree, table = ast.parse(code), symtable.symtable(code, "cell", "exec")
    except _NO_PYTHON:
        return found  # it will fail as it stands, and bind nothing
    scan = _Scan(found)
    scan.run(tree.body)
    found.later = {name for child in table.get_children() for name in _globals_of(child)} - scan.bound
    found.opaque |= "get_ipython" in found.reads or "*" in found.binds
    return found


def python(source: str) -> ast.Module:
    """The statements of a cell; none, if it is no Python."""
    try:
        return ast.parse(_plain(source))
    except _NO_PYTHON:
        return ast.Module([], [])


def _plain(source: str) -> str:
    """A cell without IPython's own syntax."""
    return TransformerManager().transform_cell(_PYTHON_MAGIC.sub("", source))


def _makers(facts: list[Names], name: str, is_fixed: bool, before: int | None = None) -> set[int]:
    """The cells that give `name` its value: with `before`, the last that binds it and those that change it since."""
    makers = set()
    for i in range(len(facts) if before is None else before)[::-1]:
        if name in facts[i].binds:
            makers.add(i)
            if before is not None:
                break
        elif name in facts[i].changes or (name in facts[i].touches and not is_fixed):
            makers.add(i)
    return makers


class _Scan(ast.NodeVisitor):
    """Follows a cell from statement to statement, but not into functions, which run when they are called."""

    def __init__(self, found: Names):
        self.found = found
        self.bound: set[str] = set()  # so far, in this cell or in a comprehension

    def run(self, statements: list[ast.stmt], certain: bool = True) -> None:
        """Take the statements of a block in turn; `certain` is False where a branch or a loop may pass them over."""
        for statement in statements:
            if isinstance(statement, ast.With | ast.AsyncWith):
                self._bind(statement.items, certain)
                self.run(statement.body, certain)
            elif isinstance(statement, ast.For | ast.AsyncFor):
                self.visit(statement.iter)
                self._bind([statement.target], False)
                self._branches(statement)
            elif isinstance(statement, ast.If | ast.While | ast.Try):
                self.visit(getattr(statement, "test", ast.Pass()))
                self._branches(statement)
            else:
                self._bind([statement], certain)

    def _branches(self, statement: ast.stmt) -> None:
        for name in ("body", "handlers", "orelse", "finalbody"):
            for part in getattr(statement, name, []):
                self.run(part.body if isinstance(part, ast.ExceptHandler) else [part], certain=False)

    def _bind(self, nodes: list, certain: bool) -> None:
        for node in nodes:
            self.visit(node)
        names = set().union(*map(_bound, nodes))
        self.bound |= names
        (self.found.binds if certain else self.found.changes).update(names)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id not in self.bound:
            self.found.reads.add(node.id)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name) and node.target.id not in self.bound:
            self.found.reads.add(node.target.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.found.fixed.add(node.name)
        for part in (*node.decorator_list, node.args):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.found.fixed.add(node.name)
        self._inside(node, _bound(ast.Module(node.body, [])))

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.found.imports |= _bound(node)
        self.found.fixed |= self.found.imports

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        self._inside(node, set().union(*(_bound(generator.target) for generator in node.generators)))

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def _inside(self, node: ast.AST, own: set[str]) -> None:
        before, self.bound = self.bound, self.bound | own
        self.generic_visit(node)
        self.bound = before

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.found.changes |= _roots(node)
        self.generic_visit(node)

    visit_Subscript = visit_Attribute  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        # `a.append(1)` and `f(a)` may change `a`.
        for part in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            self.found.touches |= _roots(part)
        self.generic_visit(node)


def _bound(statement: ast.AST) -> set[str]:
    """The global names that a statement binds or deletes, in its own body and blocks."""
    found, todo = set(), [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            todo += ast.iter_child_nodes(node)
            found |= {node.name} if isinstance(node, ast.ExceptHandler) and node.name else set()
    return found


def _globals_of(table: symtable.SymbolTable) -> set[str]:
    """The global names that a function or class, and what stands in it, reads."""
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return found.union(*(_globals_of(child) for child in table.get_children()))


def _roots(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
