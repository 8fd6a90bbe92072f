"""What can happen now, as it is offered."""

import callflow
from callflow.play import Played, beginning
from callflow.scenario.model import Occurs
from callflow.scenario.running import is_given_up


def test_a_connection_that_has_not_come_back_is_offered_to_be_lost_no_more():
    """A step that says so waits for what comes by itself: it would do nothing."""
    played = Played(beginning(callflow.load("flows/warm-transfer.yaml")))
    while played.call.snapshot.configuration != ("ending",):
        assert played.let_happen()
    played.do(Occurs("room.reconnecting"), 0.001)
    assert [one.words for one in played.choices() if is_given_up(one.act)] == [
        "the agent's own connection does not come back"
    ]
    while not played.call.given_up:
        assert played.let_happen()
    assert not played.over
    assert not any(is_given_up(one.act) for one in played.choices())
