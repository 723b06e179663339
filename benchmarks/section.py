"""A section of `docs/benchmarks.md`: what a benchmark found, as tables and plots that can be kept as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sentictl.assets.atomic import write_atomically


@dataclass(frozen=True)
class Table:
    """Rows under a head.

    Attributes:
        head: the names of the columns.
        rows: the cells of each row, as many as there are columns.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """Return it as Markdown; all columns but the first are aligned to the right."""
        lines = [list(self.head), [":--", *["--:"] * (len(self.head) - 1)], *map(list, self.rows)]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@dataclass(frozen=True)
class Plot:
    """Lines over logarithmic axes.

    Attributes:
        name: of the picture's file, without its ending.
        title: what it shows.
        x: what the horizontal axis counts, with its unit.
        y: what the vertical axis counts, with its unit.
        lines: by the name of each line, its points.
    """

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]

    def draw(self, folder: Path) -> Path:
        """Write it as an SVG file that has the same bytes for the same points. Returns the file."""
        import matplotlib as mpl
        from matplotlib.figure import Figure

        path = folder / f"{self.name}.svg"
        with mpl.rc_context({"svg.hashsalt": self.name, "svg.fonttype": "none", "font.family": "sans-serif"}):
            figure = Figure(figsize=(7, 3.6), layout="constrained")
            axes = figure.add_subplot(xlabel=self.x, ylabel=self.y, title=self.title, xscale="log", yscale="log")
            for name, points in self.lines.items():
                axes.plot(*zip(*points, strict=True), marker="o", label=name)
            axes.grid(alpha=0.3)
            axes.legend()
            figure.savefig(path, metadata={"Date": None})
        return path


@dataclass(frozen=True)
class Section:
    """What one benchmark found.

    Attributes:
        title: its heading.
        command: what finds it again.
        about: what was measured on what, and how to read it; Markdown.
        tables: one below the other.
        plots: below the tables.
    """

    title: str
    command: str
    about: str
    tables: Sequence[Table]
    plots: Sequence[Plot] = field(default=())

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Section":
        """Return the section that `to_json` made this of."""
        tables = [Table(**table) for table in content["tables"]]
        return cls(**{**content, "tables": tables, "plots": [Plot(**plot) for plot in content["plots"]]})

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    def markdown(self, pictures: str) -> str:
        """Return it as Markdown.

        Args:
            pictures: the folder of the plots, as the page's links have it.
        """
        shown = [f"![{plot.title}]({pictures}/{plot.name}.svg)" for plot in self.plots]
        command = f"`{self.command}`"
        return "\n\n".join([f"## {self.title}", self.about, *map(str, self.tables), *shown, command])

    def publish(self, file: Path | None) -> None:
        """Print the tables, and write the section to a file of JSON where one is named."""
        print(f"{self.title}: {self.about}\n")
        print("\n\n".join(map(str, self.tables)), flush=True)
        if file:
            self.write(file)

    def write(self, file: Path) -> None:
        """Write the section to a file of JSON, whole or not at all."""
        write_atomically(file, (json.dumps(self.to_json(), indent=2) + "\n").encode())
