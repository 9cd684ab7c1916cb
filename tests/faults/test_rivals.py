"""Schedulers that plan the same moments at once: each moment becomes one execution.

``RIVALS`` and ``SLOTS`` in the environment make it larger.
"""

import os
import sys
from subprocess import Popen

from domain.schedule import Missed, Schedule, minutes
from engine.runtime import scheduler
from storage.database import Database
from storage.queries import feeds, history
from storage.rows import State
from tests import toy
from tests.faults.processes import ROOT

RIVALS = int(os.environ.get("RIVALS", "4"))
SLOTS = int(os.environ.get("SLOTS", "1000"))
SLOTS_OF_A_FEED = 50

PLAN = """
import sys
from engine.runtime import scheduler
from storage.database import Database

with Database(sys.argv[1]) as database:
    while database.read(scheduler.feeds.is_any_due):
        database.write(lambda unit: scheduler.plan(unit, count=7))
"""


def test_rival_schedulers_make_one_execution_of_each_moment(database_url):
    with Database(database_url) as database:
        found = toy.an_integration(database, flows=[f"flow_{number}" for number in range(SLOTS // SLOTS_OF_A_FEED)])
        schedule = Schedule(every=minutes(10), missed=Missed.RUN_ALL)

        def prepare(unit):
            for feed in found:
                due_at = scheduler.set_schedule(unit, feed.id, schedule)
                feeds.change(unit, feed.id, due_at=due_at - minutes(10) * SLOTS_OF_A_FEED)

        database.write(prepare)
        rivals = [Popen([sys.executable, "-c", PLAN, database_url], cwd=ROOT) for _ in range(RIVALS)]
        assert [rival.wait(timeout=100) for rival in rivals] == [0] * RIVALS
        made = [row.execution for row in database.read(lambda unit: history.listed(unit, count=SLOTS * 2))]
        assert len(made) == SLOTS
        assert len({(execution.feed_id, execution.due_at) for execution in made}) == SLOTS
        assert {execution.state for execution in made} == {State.QUEUED}
