"""JUnit's XML, as pytest writes it and CI servers read it: a suite for each file, a case for each scenario."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import click

from callflow.cli._test.failures import failure
from callflow.cli._test.files import File
from callflow.cli._test.session import Played, Reporter, Session
from callflow.errors import Defect
from callflow.flowfile.source import SCENARIOS

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Letters that no XML document may have."""


class JUnit(Reporter):
    """Writes a file once all have been played."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._began = datetime.now(UTC)

    def over(self, session: Session) -> None:
        """Raises click.ClickException where it cannot be written."""
        root = Element("testsuites", name="callflow test")
        _numbers(root, session.played, len(session.defects))
        for file in session.files:
            played = [one for one in session.played if one.file == file.name]
            if played or file.defects:
                suite = SubElement(root, "testsuite", name=_text(file.name))
                _numbers(suite, played, len(file.defects))
                suite.set("timestamp", self._began.isoformat(timespec="seconds"))
                for one in played:
                    _case(suite, one)
                for defect in file.defects:
                    _error(suite, file, defect)
        indent(root)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            ElementTree(root).write(self._file, encoding="utf-8", xml_declaration=True)
        except OSError as error:
            raise click.ClickException(f"{self._file} cannot be written: {error.strerror}") from error


def _numbers(element: Element, played: list[Played], errors: int) -> None:
    element.set("tests", str(len(played) + errors))
    element.set("failures", str(sum(one.failed for one in played)))
    element.set("errors", str(errors))
    element.set("skipped", str(sum(bool(one.skipped) for one in played)))
    element.set("time", f"{sum(one.seconds for one in played):.3f}")


def _case(suite: Element, one: Played) -> None:
    case = SubElement(suite, "testcase", name=_text(one.name), classname=_class(one.file), file=_text(one.file))
    case.set("line", str(one.position.line))
    case.set("time", f"{one.seconds:.3f}")
    if one.skipped:
        SubElement(case, "skipped", message=_text(one.skipped), type="skipped")
    if one.failure is not None:
        place = f"{one.failure.position.file}:{one.failure.position.line}"
        told = SubElement(case, "failure", message=_text(f"{place}: {one.failure.message}"), type="failed")
        told.text = _text(click.unstyle("\n".join(failure(one))))


def _error(suite: Element, file: File, defect: Defect) -> None:
    case = SubElement(suite, "testcase", name=_text(defect.code), classname=_class(file.name), file=_text(defect.file))
    case.set("line", str(defect.line))
    case.set("time", "0")
    SubElement(case, "error", message=_text(defect.message), type=_text(defect.code)).text = _text(str(defect))


def _class(file: str) -> str:
    """Its name with dots, by which CI servers put cases together."""
    stem = os.path.relpath(file).removesuffix(SCENARIOS) if not os.path.isabs(file) else file.removesuffix(SCENARIOS)  # noqa: PTH117
    return _text(stem.strip(os.sep).replace(os.sep, "."))


def _text(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
