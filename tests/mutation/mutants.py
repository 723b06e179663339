"""The mutants of a file: every fault that mutmut's operators put into it, one at a time.

mutmut's own runner has no place here. It leaves out decorated functions, and with them every validator and property of
the settings; and it chooses a mutant by a variable of the process, while many tests start programs.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators

NOT_MUTATED = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)
STATEMENTS = (cst.SimpleStatementLine, cst.BaseCompoundStatement)


@dataclass(frozen=True)
class Mutant:
    """One fault in one file.

    Attributes:
        path: the file, from the repository's root.
        line: where the fault begins, from 1.
        statement: where the statement begins that it is in.
        in_function: whether that runs only when a function is called.
        number: which of the file's mutants it is, from 0.
        source: the whole file with the fault.
        original: the whole file without it.
    """

    path: Path
    line: int
    statement: int
    in_function: bool
    number: int
    source: str
    original: str

    @property
    def name(self) -> str:
        """The file and the number, which stay the same while the file does."""
        return f"{self.path}#{self.number}"

    @property
    def difference(self) -> list[str]:
        """The lines that the fault takes away and puts in, behind their signs and without their indentation."""
        lines = list(unified_diff(self.original.splitlines(), self.source.splitlines(), n=0, lineterm=""))[2:]
        return [f"{line[0]} {line[1:].strip()}" for line in lines if not line.startswith("@@")]


class MutatedFile(Sequence[Mutant]):
    """The mutants of a file, each made when it is asked for.

    Left out are annotations, decorators, imports, docstrings, and strings with a blank in them, which are texts for
    people: a test of each of those would only repeat it.
    """

    def __init__(self, root: Path, path: Path) -> None:
        self._path = path
        self._original = (root / path).read_text(encoding="utf-8")
        wrapper = MetadataWrapper(cst.parse_module(self._original))
        finder = _Finder()
        wrapper.visit(finder)
        self._module, self._faults = wrapper.module, finder.faults

    def __len__(self) -> int:
        return len(self._faults)

    def __getitem__(self, number: Any) -> Any:
        fault = self._faults[number]
        mutated = self._module.deep_replace(fault.node, fault.replacement)
        assert isinstance(mutated, cst.Module)
        place = (fault.line, fault.statement, fault.in_function)
        return Mutant(self._path, *place, number, mutated.code, self._original)


def sample(files: Sequence[MutatedFile], count: int, seed: int) -> list[Mutant]:
    """Draw so many of the mutants that compile, without replacement; each of all files' is as likely as another."""
    places = [(file, number) for file in files for number in range(len(file))]
    random.Random(seed).shuffle(places)
    compiling = (mutant for file, number in places if _compiles(mutant := file[number]))
    return [mutant for mutant, _ in zip(compiling, range(count), strict=False)]


@dataclass(frozen=True)
class _Fault:
    line: int
    statement: int
    in_function: bool
    node: cst.CSTNode
    replacement: cst.CSTNode


class _Finder(cst.CSTVisitor):
    """Asks every operator about every node."""

    METADATA_DEPENDENCIES = (ParentNodeProvider, PositionProvider)

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[_Fault] = []
        self._bodies: list[cst.CSTNode] = []  # of the functions that it is in
        self._statements: list[int] = []  # the lines where those begin that it is in

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, NOT_MUTATED) or _is_prose(node):
            return False
        if isinstance(node, STATEMENTS):
            self._statements.append(self._line(node))
        if isinstance(node, cst.BaseSuite) and isinstance(self.get_metadata(ParentNodeProvider, node), cst.FunctionDef):
            self._bodies.append(node)
        self.faults.extend(self._faults_of(node))
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, STATEMENTS):
            self._statements.pop()
        if self._bodies and self._bodies[-1] is node:
            self._bodies.pop()

    def _faults_of(self, node: cst.CSTNode) -> Iterator[_Fault]:
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for replacement in operator(node):
                    yield _Fault(self._line(node), self._statements[-1], bool(self._bodies), node, replacement)

    def _line(self, node: cst.CSTNode) -> int:
        line: int = self.get_metadata(PositionProvider, node).start.line
        return line


def _is_prose(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString) and " " in node.value


def _compiles(mutant: Mutant) -> bool:
    try:
        compile(mutant.source, mutant.path, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
