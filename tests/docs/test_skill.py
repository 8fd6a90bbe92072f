"""The language on one page, for whoever writes flows by program: small enough to be read whole, and nothing left out."""

from __future__ import annotations

import re

import pytest
import yaml

from callflow.core.actions import VERBS
from callflow.core.events import EVENTS
from callflow.flowfile import keys
from callflow.proof.codes import EVERY_CODE
from callflow.scenario import keys as scenario_keys
from tests.docs.pages import ROOT, SKILL

PAGES = [ROOT / "docs/llms.txt", SKILL]
READ_WHOLE = 50_000
"""Characters: about 12,000 tokens."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_it_is_small_and_has_everything(page):
    text = page.read_text(encoding="utf-8")
    assert len(text) < READ_WHOLE
    for name in (*VERBS, *keys.TOP_LEVEL, *keys.STATE, *keys.TOOL, *keys.LIMITS, *scenario_keys.STEPS, *EVERY_CODE):
        assert f"- `{name}`" in text, name
    for name in EVENTS:
        assert re.search(rf"(?<![\w.]){re.escape(name)}(?!\.?\w)", text), name


def test_the_skill_says_when_it_is_to_be_read():
    """As agents read it: https://agentskills.io/specification (a name like the folder's or plainer, a description of 1024 characters)."""
    _, head, body = PAGES[1].read_text(encoding="utf-8").split("---\n", 2)
    told = yaml.safe_load(head)
    assert set(told) == {"name", "description"}
    assert re.fullmatch(r"[a-z0-9-]{1,64}", told["name"])
    assert 0 < len(told["description"]) <= 1024
    assert body.lstrip("\n").startswith("<!--")


def test_both_say_the_same_of_the_language():
    page, skill = (one.read_text(encoding="utf-8").partition("## How to work")[2] for one in PAGES)
    assert page.startswith(skill.rstrip("\n"))
    assert len(skill) > 10_000
