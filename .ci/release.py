"""What is released, as whoever installs it gets it: `make release-check`.

Builds the sdist, and the wheel from it, into dist/; looks at what PyPI would refuse; installs the wheel, with what it needs in the
versions of the lock, into an environment that has nothing else (.venv-wheel, made anew each time); and uses the commands from
there, in an empty folder. The environment that this runs in has `build`, `twine` and what builds callflow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
COMMANDS = (
    ("--version",),
    ("demo",),
    ("check", "flows/smallest.yaml", "flows/outbound.yaml"),
    ("play", "flows/inbound.yaml", "--caller", "says_nothing"),
    ("test", "flows"),
    ("draw", "flows/inbound.yaml", "-o", "inbound.svg"),
)
"""Each must end well. The flows are those that the wheel brings."""


def build() -> Path:
    """The wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST, ROOT)
    run(sys.executable, "-m", "twine", "check", "--strict", *DIST.iterdir())
    [wheel] = DIST.glob("*.whl")
    return wheel


def install(wheel: Path) -> Path:
    """The folder with the commands of an environment that has this wheel, and what it needs."""
    home = ROOT / ".venv-wheel"
    venv.create(home, clear=True, with_pip=True)
    commands = home / ("Scripts" if sys.platform == "win32" else "bin")
    pip = (commands / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    locks = ROOT / "requirements"
    run(*pip, "install", "--require-hashes", "--requirement", locks / "build.txt")
    run(
        *pip,
        "install",
        "--require-hashes",
        "--no-build-isolation",
        "--use-pep517",
        "--requirement",
        locks / "runtime.txt",
    )
    run(*pip, "uninstall", "--yes", "hatchling", "editables", "setuptools")
    run(*pip, "install", "--no-deps", wheel)
    run(*pip, "check")
    return commands


def use(commands: Path) -> None:
    """Nothing of this clone is in reach: neither by the folder, nor by the environment."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    with tempfile.TemporaryDirectory() as empty:
        where = "import callflow, pathlib; print(pathlib.Path(callflow.__file__).parent)"
        asked = subprocess.run(
            [commands / "python", "-c", where], cwd=empty, env=outside, check=True, capture_output=True, text=True
        )
        package = Path(asked.stdout.strip())
        if not package.is_relative_to(commands.parent):
            sys.exit(f"callflow is taken from {package}, which is not the environment of the wheel")
        shutil.copytree(package / "flows", Path(empty) / "flows")
        for command in COMMANDS:
            run(commands / "callflow", *command, cwd=empty, env=outside | {"XDG_CACHE_HOME": empty}, quiet=True)


def run(*command: str | Path, cwd: Path | str = ROOT, env: dict[str, str] | None = None, quiet: bool = False) -> None:
    """Ends this program where that fails, with what it has said."""
    print("$", Path(command[0]).name, *map(str, command[1:]), flush=True)
    done = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=quiet, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout or ''}{done.stderr or ''}\nfailed with {done.returncode}")


if __name__ == "__main__":
    use(install(build()))
    print(f"{', '.join(sorted(one.name for one in DIST.iterdir()))}: installed, and used")
