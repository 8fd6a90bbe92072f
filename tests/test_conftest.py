"""The test-suite's own rule: a leaked task fails its test."""

from __future__ import annotations

from pathlib import Path

pytest_plugins = ["pytester"]


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
