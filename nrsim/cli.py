"""The command line: ``nrsim run``, ``simulate``, ``stimuli``, ``show``, ``analyses``."""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from nrsim._version import __version__

_RUN = """\
Runs a study: stimuli, V1, features, encoder, Brian2 neurons, tuning curves, report.

Without STUDY the default study runs: six expressions on a human, a macaque and a cartoon head.
A study is a TOML file; every key is optional. For example:

  title = "My first study"
  seed = 1

  [stimuli]
  recipe = "expressions"            # or: folder = "pictures", table = "pictures.csv", size = 128, degrees = 4.0

  [v1]
  frequencies = [1, 2, 4, 8]        # cycles/degree
  normalise = "divisive"            # or "none"

  [features]
  size = 16                         # pooling grid
  log = true                        # logarithm of the energy
  components = 0                    # principal components; 0 = none

  [encoder]
  rule = "general"                  # rectified, direction, expressivity, projection
  exponent = 1.0
  prototypes = {domain = "human", intensity = 1.0}
  norms = {intensity = 0.0}         # or "average": the mean of each domain's pictures
  controls = ["norm-shuffled", "axis", "exemplar"]

  [presentation]
  duration = 0.3                    # s

  [neurons]
  model = "AdaptiveLIF"             # or "RateUnits"
  trials = 20

  [tuning]
  along = "intensity"
  window = [0.07, 0.37]             # s

The whole of what was run, defaults included, is left in OUT/study.toml; docs/study.md explains every key.
"""


_SIMULATE = """\
Simulates a study's neurons and writes recording.zarr, or, where the study has a table [sweep], sweep.nc with the swept
parameters as dimensions. Each block is kept as soon as it is done: the same command goes on after an interruption.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nrsim", description="Simulate norm-referenced face neurons and hold them against recordings."
    )
    parser.add_argument("--version", action="version", version=f"nrsim {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    run = commands.add_parser(
        "run", help="run a study", description=_RUN, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    run.add_argument("study", nargs="?", metavar="STUDY", help="study file (TOML); default: the default study")
    run.add_argument("--out", default="nrsim-out", metavar="DIR", help="folder for the results (default: nrsim-out)")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="assignments",
        help="set one key, as in --set neurons.trials=50; may come several times",
    )

    simulated = commands.add_parser(
        "simulate", help="simulate a study's neurons alone: long runs, sweeps, several processes", description=_SIMULATE
    )
    simulated.add_argument("study", nargs="?", metavar="STUDY", help="study file (TOML); default: the default study")
    simulated.add_argument("--out", default="nrsim-out", metavar="DIR", help="folder to write to (default: nrsim-out)")
    simulated.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine (default: 1)")
    simulated.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, such as tcp://host:8786")
    simulated.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="assignments",
        help="set one key, as in --set neurons.trials=50; may come several times",
    )

    stimuli = commands.add_parser("stimuli", help="list, show or render stimulus sets")
    what = stimuli.add_subparsers(dest="what", metavar="list|show|render", required=True)
    what.add_parser("list", help="list the sets that come with nrsim")
    show_one = what.add_parser("show", help="print what a set holds, and where it comes from")
    render = what.add_parser("render", help="render a set: pictures, a table, a contact sheet, a netCDF file")
    render.add_argument("--out", default=".", metavar="DIR", help="folder to write to (default: here)")
    render.add_argument(
        "--pictures",
        choices=("png", "tiff", "none"),
        default="png",
        help="format of the pictures (default: png, 8 bits)",
    )
    for each in (show_one, render):
        each.add_argument("name", help="name of a set, or path of a recipe (.toml) or of a saved set (.nc)")
        each.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            dest="assignments",
            help="set a parameter of the recipe, as in --set size=224; may come several times",
        )

    show = commands.add_parser("show", help="print what a result file holds")
    show.add_argument("file", help="a netCDF file that nrsim wrote")

    analyses = commands.add_parser("analyses", help="list or run the analyses that come with nrsim")
    which = analyses.add_subparsers(dest="what", metavar="list|run", required=True)
    which.add_parser("list", help="list them")
    run_one = which.add_parser("run", help="run one, in the current folder")
    run_one.add_argument("name", help="its name, without .py")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    from nrsim.study import run_study

    run_study(arguments.study, out=arguments.out, assignments=arguments.assignments, progress=True)
    print(f"open {Path(arguments.out) / 'report.html'}")


def _simulate(arguments: argparse.Namespace) -> None:
    from nrsim.study_simulation import simulate_study

    recording = simulate_study(
        arguments.study,
        out=arguments.out,
        assignments=arguments.assignments,
        workers=arguments.workers,
        scheduler=arguments.scheduler,
        progress=True,
    )
    sizes = ", ".join(f"{size} {dim}" for dim, size in recording.sizes.items() if dim not in ("spike", "y", "x"))
    name = "sweep.nc" if "sweep" in recording.attrs else Path(str(recording.encoding.get("source", ""))).name
    print(f"wrote {Path(arguments.out) / name}: {sizes}")


def _stimuli(arguments: argparse.Namespace) -> None:
    from nrsim import recipes, settings

    if arguments.what == "list":
        for name, title in recipes.list_stimuli().items():
            print(f"{name:24s} {title}")
        return
    changes = settings.override({}, arguments.assignments)
    if arguments.what == "show":
        print(recipes.describe(arguments.name, **changes))
        return
    from matplotlib import pyplot as plt

    plt.switch_backend("agg")
    from nrsim import files, plot, tables

    stem, saved = Path(arguments.name).stem, arguments.name.endswith(".nc")
    wrote: list[str] = []
    before = tables.pictures_of(arguments.out, stem)
    written: set[str] = set()
    with files.replacing_folder(arguments.out) as folder:
        out = {} if saved else {"out": folder / f"{stem}.nc"}
        faces = recipes.load_stimuli(arguments.name, **out, progress=True, **changes)
        wrote += [] if saved else [f"{stem}.nc"]
        if arguments.pictures != "none":
            names = files.write_pictures(faces, folder / stem, arguments.pictures, progress=True)
            written = {name for frames in names for name in frames}
            wrote.append(f"{len(written)} pictures in {stem}/")
            if "frame" not in faces.dims:
                faces = faces.assign_coords(file=("stimulus", [frames[0] for frames in names]))
            else:
                tables.frames(faces, names).to_csv(folder / f"{stem}_frames.csv", index=False)
                wrote.append(f"{stem}_frames.csv")
            if "landmark" in faces.coords and "frame" not in faces["landmark"].dims:
                tables.landmarks(faces).to_csv(folder / f"{stem}_landmarks.csv", index=False)
                wrote.append(f"{stem}_landmarks.csv")
        plot.stimulus_sheet(faces)
        plt.savefig(folder / f"{stem}.png", dpi=150, bbox_inches="tight")
        plt.close()
        tables.stimuli(faces).to_csv(folder / f"{stem}.csv", index=False)
        faces.close()
    place = Path(arguments.out)
    for name in before - written:  # what an earlier rendering of this set left, and nothing else
        (place / name).unlink(missing_ok=True)
    for table in (f"{stem}_frames.csv", f"{stem}_landmarks.csv"):
        if before and table not in wrote:
            (place / table).unlink(missing_ok=True)
    wrote += [f"{stem}.png (contact sheet)", f"{stem}.csv (table)"]
    print(f"wrote to {arguments.out}: {', '.join(wrote)}")


def _show(arguments: argparse.Namespace) -> None:
    import xarray as xr

    if not Path(arguments.file).is_file():
        raise FileNotFoundError(f"needed a netCDF file; there is no file {arguments.file!r}")
    try:
        with xr.open_dataset(arguments.file, engine="h5netcdf") as dataset:
            print(dataset)
    except OSError:
        raise ValueError(f"needed a netCDF4 file; {arguments.file!r} is not one") from None


def _analyses(arguments: argparse.Namespace) -> None:
    from nrsim import files
    from nrsim.errors import unknown

    scripts = {path.stem: path for path in sorted(files.shipped("analyses").glob("*.py")) if path.stem != "__init__"}
    if arguments.what == "list":
        for name, path in scripts.items():
            first = path.read_text(encoding="utf-8").lstrip('"\n').splitlines()[0].rstrip('"')
            print(f"{name:40s} {first}")
        return
    if arguments.name not in scripts:
        raise unknown("analysis", arguments.name, scripts)
    runpy.run_path(str(scripts[arguments.name]), run_name="__main__")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 2 for a wrong input, 130 when interrupted."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    commands = {"run": _run, "simulate": _simulate, "stimuli": _stimuli, "show": _show, "analyses": _analyses}
    try:
        commands[arguments.command](arguments)
    except KeyboardInterrupt as stop:
        print(f"\nnrsim: interrupted; {_notes(stop) or 'nothing was written'}", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, MemoryError, RuntimeError, ImportError) as error:
        if arguments.debug:
            raise
        print(f"nrsim: error: {error}", file=sys.stderr)
        if notes := _notes(error):
            print(f"nrsim: {notes}", file=sys.stderr)
        return 2
    return 0


def _notes(error: BaseException) -> str:
    return "; ".join(getattr(error, "__notes__", []))


if __name__ == "__main__":
    sys.exit(main())
