"""``navette simulate``: a simulated shop to play with, that misbehaves on request."""

from typing import Annotated

import typer

from console.terminal.failures import DEBUG
from console.terminal.tables import say
from domain.errors import UserError
from engine.actions import simulation
from engine.actions.names import suggest
from engine.logging import set_up_logging
from engine.registry import Registry
from engine.simulation.server import Server, serve_forever

app = typer.Typer(help="Run a simulated shop to play with.")


@app.command()
def simulate(
    connector: Annotated[str, typer.Argument(help="The kind of system, such as prestashop.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0: a free one.")] = 8085,
    products: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="How many products; 0: a small hand-made sample.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same shop.")] = 0,
    life: Annotated[float, typer.Option(metavar="N", min=0, help="Let this many things happen a minute.")] = 0,
    faults: Annotated[
        list[str] | None, typer.Option("--fault", help="Misbehave so on every request; may be repeated.")
    ] = None,
) -> None:
    """Run a simulated shop on this machine until Ctrl-C."""
    set_up_logging(log_format="auto", log_level="debug" if DEBUG.get() else "error")
    declared = Registry.find().connector(connector)
    shop = simulation.build_shop(declared, products=products, seed=seed)

    def listening(server: Server) -> None:
        for fault in faults or []:
            if fault not in server.faults.known:
                raise UserError(f"There is no fault called “{fault}”. {suggest(fault, server.faults.known)}")
            server.faults.add(fault, times=None)
        settings = simulation.connect_with(shop)
        say(
            f"A simulated {declared.title} listens at {server.url} until you press Ctrl-C. Its key is {settings.get('key', '')}"
        )
        say("Connect it, with NAVETTE_ALLOW_PRIVATE_ADDRESSES=true in the environment, by")
        say(f"  navette integrations add {connector} --name shop --url {server.url}")
        say(f"Requests, faults and life are under {server.url}/_simulator/")

    serve_forever(shop, port=port, listening=listening, events_per_minute=life)
