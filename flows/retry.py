"""Records that wait, looked up again by id until they pass or until their give-up rule."""

from domain.schedule import Schedule, hours
from engine.flow import Direction, Flow, Retry

retry = Flow(
    name="retry",
    title="Retry",
    description="Looks up again every record that waits, such as orders not paid yet.",
    direction=Direction.INBOUND,
    work=Retry(),
    schedule=Schedule(every=hours(1)),
)
