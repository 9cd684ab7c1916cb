from engine.simulation.fault import Fault

FAULTS: tuple[Fault, ...] = ()
