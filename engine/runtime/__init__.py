"""The way of a feed. Read in this order and you have read the platform.

1. ``scheduler``: which moments are due; an execution for each ``(feed, due_at)``, unique in the database.
2. ``executions`` and ``dispatcher``: the row is the work; a message only rings.
3. ``worker``: claims the row under a lease (``run``, ``heartbeat``) and answers for it; every severity is handled there.
4. ``opening``: settings and secrets become a connector's account behind the guarded door (``budget``, ``tokens``).
5. ``inbound/``: page, canonical record, rules, one transaction a page.
6. ``outbound/``: intended changes, the gate, receipts. ``stock_check/`` compares both sides.
7. ``issues``: problems of one cause fold into one; the bell rings when it opens or comes back.

Beside the way: ``sweeper`` finds what a crash left lying, ``behind`` keeps flows in order, ``guard`` stops implausible runs,
``webhooks`` verifies, stores and requests an execution, ``production/`` is the way into production and back, and
``service`` runs the duties of one process, put together in ``platform``.
"""
