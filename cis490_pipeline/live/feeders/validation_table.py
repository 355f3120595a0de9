"""The validation table, for the list of episodes: read when it has changed.

Its rows count as received, where the index does not have them any more.

Not here: what is made of it (``explorer``), the phase mix (``phase_mix``).
"""

from anyio.to_thread import run_sync

from cis490_pipeline.live.feeders.progress import Progress
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.live.verdicts import NO_VERDICTS, read_verdicts
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.warehouse import Warehouse


class VerdictFeeder:
    """Reads the validation table; what it holds at the first look is no news."""

    def __init__(
        self, warehouse: Warehouse, hub: Hub, holdings: Holdings, progress: Progress
    ) -> None:
        self._warehouse = warehouse
        self._hub = hub
        self._holdings = holdings
        self._progress = progress

    async def step(self) -> str | None:
        """Read it where it has another version."""
        known = self._progress.verdicts
        found = await run_sync(read_verdicts, self._warehouse, known, abandon_on_cancel=True)
        if found is not known:
            events = self._holdings.receive_unknown(found.received)
            for event in events if known is not NO_VERDICTS else ():
                self._hub.publish(event)
            self._progress.verdicts = found
        if found.version is None:
            return str(self._warehouse.tables.path(Table.VALIDATION_INDEX))
        return None
