"""The test-suite's own rule: a leaked task fails its test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

pytest_plugins = ["pytester"]


def test_what_the_test_suite_imports_first_brings_no_threads():
    """The end-to-end tests enter a network of their own, and would all be skipped."""
    code = "import os, sys, tests.conftest, tests.e2e.conftest; assert 'livekit' not in sys.modules; assert len(os.listdir('/proc/self/task')) == 1"
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", code if sys.platform == "linux" else code.rpartition(";")[0]]
    assert subprocess.run(command, cwd=root, check=False).returncode == 0


def test_a_leaked_task_fails_the_test(pytester):
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())
    pytester.makepyfile(
        """
        import asyncio, pytest

        @pytest.fixture
        async def background():
            task = asyncio.create_task(asyncio.sleep(1000))
            yield
            task.cancel()

        async def test_clean(background):
            await asyncio.sleep(10)

        kept = []
        async def test_leaky():
            kept.append(asyncio.create_task(asyncio.sleep(1000), name="forgotten"))
        """
    )
    result = pytester.runpytest_subprocess(
        "-o", "asyncio_mode=auto", "-o", "markers=e2e\nreal_time", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*tasks still running after the test:*", "*forgotten*"])
