"""A small web server for simulators: it serves an imitation of an outside system, misbehaves on request, and keeps a ledger.

``app`` says what a simulator is, ``server`` serves one, ``faults`` lists how it can misbehave, ``ledger`` remembers what
arrived and what it changed, ``control`` answers under ``/_simulator/``, ``process`` runs one in a process of its own.
"""
