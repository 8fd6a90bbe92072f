"""The lock: what the Makefile installs, and the other versions with which .ci/run runs the unit tests."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def load_versions():
    spec = importlib.util.spec_from_file_location("versions", ROOT / ".ci" / "versions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERSIONS = load_versions()


def locked(name):
    return VERSIONS.versions((ROOT / "requirements" / f"{name}.txt").read_text())


def named(which):
    extras = PROJECT["project"]["optional-dependencies"]
    return {
        "runtime": PROJECT["project"]["dependencies"] + extras["diagrams"],
        "dev": PROJECT["project"]["dependencies"] + extras["diagrams"] + extras["dev"][1:],
        **PROJECT["dependency-groups"],
    }[which]


@pytest.mark.parametrize("which", ["runtime", "dev", *PROJECT["dependency-groups"]])
def test_whatever_is_named_is_locked_within_its_range(which):
    have = locked(which)
    for one in map(Requirement, named(which)):
        assert one.name.lower() in have, f"run `make lock`: {one.name} is not in it"
        if one.marker is None or one.marker.evaluate():
            assert one.specifier.contains(have[one.name.lower()]), f"run `make lock`: {one}"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_package_has_one_version_and_hashes_and_no_place_of_its_own(lock):
    text = lock.read_text()
    blocks = re.split(r"^(?=[A-Za-z])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 0
    for block in blocks:
        assert re.match(r"[\w.-]+==[\w.+!]+( ; [^\\]+)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+", block), block[:80]
    names = [block.partition("==")[0] for block in blocks]
    assert names == sorted(set(names))
    assert "://" not in text
    assert "index" not in text


def test_no_lock_says_another_version_than_the_others():
    dev = locked("dev") | locked("build")
    assert locked("runtime").items() <= dev.items()
    assert {**locked("build"), **locked("dev")} == dev
    beside = [locked(group) for group in ("bench", "docs", "release", "mutation")]  # go into the same environment
    for one in beside:
        for other in (dev, *beside):
            assert {**one, **other} == {**other, **one}


@pytest.mark.parametrize(
    ("requirement", "least"),
    [
        ("attrs>=24.2", "attrs==24.2 "),
        ("click>=8.2,<9", "click==8.2 "),
        ("mypy~=1.20.2", "mypy==1.20.2 "),
        ("numpy>=2.1; python_version >= '3.13'", "numpy==2.1 ; python_version >= '3.13'"),
        ("font-roboto==0.0.1", "font-roboto==0.0.1"),
    ],
)
def test_the_lowest_version_of_a_range(requirement, least):
    assert VERSIONS.lowest(requirement) == least


def test_every_range_has_a_lowest_version():
    assert len(VERSIONS.direct()) > 20
    for one in VERSIONS.direct():
        assert "==" in VERSIONS.lowest(one), f"{one} has no lower bound"


def test_what_differs_is_named():
    lock = VERSIONS.versions(
        "attrs==26.1.0 \\\n    --hash=sha256:0\nclick==8.5.1 ; python_version < '4' \\\nnumpy==2.4.6\n"
    )
    have = VERSIONS.versions("attrs==24.2.0\nclick==8.5.1\nPyYAML==6.0.3\n")
    assert VERSIONS.differences(have, lock) == ["attrs 24.2.0 (lock: 26.1.0)", "pyyaml 6.0.3 (lock: none)"]
