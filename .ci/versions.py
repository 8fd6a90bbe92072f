"""The unit tests with other versions than those of the lock: `python .ci/versions.py newest|lowest`.

`newest`: the newest that the ranges of pyproject.toml allow, which is what an installation gets today. `lowest`: of all that
pyproject.toml names, the lowest that its ranges allow, so that these are true. Each has an environment of its own, .venv-newest
and .venv-lowest, made anew each time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE_ONLY = "font-roboto"


def lowest(requirement: str) -> str:
    """`attrs>=24.2; marker` -> `attrs==24.2; marker`. A requirement without a lower bound stays as it is."""
    return re.sub(r"(>=|~=)\s*([\w.]+)[^;]*", r"==\2 ", requirement, count=1)


def direct() -> list[str]:
    """What pyproject.toml names: to run, to draw, to test and to build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    groups = [
        project["project"]["dependencies"],
        extras["diagrams"],
        extras["dev"],
        project["dependency-groups"]["build"],
    ]
    return [one for group in groups for one in group if not one.startswith("callflow")]


def versions(lines: str) -> dict[str, str]:
    """`name==version` by name, of a lock or of what pip lists."""
    return {
        name.lower().replace("_", "-"): version
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", lines, re.MULTILINE)
    }


def differences(installed: dict[str, str], locked: dict[str, str]) -> list[str]:
    """In words, one a line: what is installed in another version than the lock's, or that the lock has not at all."""
    other = {name: version for name, version in sorted(installed.items()) if version != locked.get(name)}
    return [f"{name} {version} (lock: {locked.get(name, 'none')})" for name, version in other.items()]


def main(which: str) -> int:
    home = ROOT / f".venv-{which}"
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    venv.create(home, clear=True, with_pip=True)
    wanted = home / "requirements.txt"
    wanted.write_text("\n".join(lowest(one) if which == "lowest" else one for one in direct()), encoding="utf-8")
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    binary = ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    subprocess.run([*pip, "install", "--quiet", *binary, "--requirement", wanted], check=True)
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT], check=True)
    listed = subprocess.run([*pip, "list", "--format", "freeze"], check=True, capture_output=True, text=True).stdout
    installed = {name: one for name, one in versions(listed).items() if name not in ("callflow", "pip")}
    locks = [(ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ("build.txt", "dev.txt")]
    different = differences(installed, versions("\n".join(locks)))
    print(
        f"{which}: {len(different)} of {len(installed)} packages differ from the lock",
        *different,
        sep="\n  ",
        flush=True,
    )
    tests = [
        "--ignore=tests/e2e",
        "-q",
        "-n",
        "auto",
        "--maxprocesses",
        "4",
        "--dist",
        "worksteal",
        "-p",
        "no:cacheprovider",
    ]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # as the Makefile has it for `make test`
    return subprocess.run([python, "-m", "pytest", *tests], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
