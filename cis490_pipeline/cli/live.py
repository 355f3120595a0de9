"""``cis490 live``: the live hub over a store and a warehouse, and the tokens of producers.

Not here: TLS names and passwords (``deploy/``).
"""

import asyncio
import ipaddress
import logging
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any, Final

import click

from cis490_pipeline.cli.options import data_option, settings_for
from cis490_pipeline.cli.output import emit_json, json_option, say
from cis490_pipeline.cli.receive import NameParameter
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.receiver.tokens import Access, Tokens

if TYPE_CHECKING:  # managing tokens needs neither tables nor a server
    from cis490_pipeline.live.assembly import Watch

PORT: Final = 8491
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def _token_options(function: Callable[..., None]) -> Callable[..., None]:
    for flag, text in (
        ("--add-producer", "Print a new token for a producer; its old one is void. No serving."),
        ("--remove-producer", "Make the token of that name void. No serving."),
    ):
        option = click.option(flag, type=NameParameter(), default=None, metavar="NAME", help=text)
        function = option(function)
    return click.option(
        "--list-producers", is_flag=True, help="Say who has a token (no token). No serving."
    )(function)


@click.command("live", help="Show what happens in STORE, and how its models do, on a page.")
@click.argument("store", type=click.Path(file_okay=False, path_type=Path), required=False)
@data_option
@click.option("--bind", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option(
    "--name", "names", multiple=True, help="A name that browsers call this server by; repeatable."
)
@click.option("--certificate", type=_FILE, help="TLS certificate chain (PEM).")
@click.option("--key", type=_FILE, help="Its private key (PEM).")
@_token_options
@json_option
def command(
    store: Path | None,
    data: Path | None,
    bind: str,
    port: int,
    names: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
    *,
    as_json: bool,
    **tokens: str | bool | None,
) -> None:
    """Manage tokens where that is asked for, else serve until it is ended."""
    from cis490_pipeline.live.places import live_directory, tokens_in

    settings = settings_for(data)
    root = settings.store if store is None else store.resolve()
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key belong together")
    try:
        known = tokens_in(live_directory(settings.data))
    except OSError as error:
        raise WarehouseError(
            "the data directory cannot be written",
            where=error.filename or str(settings.data),
            found=error.strerror or type(error).__name__,
            todo="check the path, its owner and free space",
        ) from error
    if any(tokens.values()):
        _manage(known, tokens, as_json=as_json)
        return
    _serve(root, settings.data, known, (bind, port), (*names, bind), (certificate, key))


def _manage(tokens: Tokens, wanted: dict[str, str | bool | None], *, as_json: bool) -> None:
    result: dict[str, object] = {}
    if isinstance(name := wanted["remove_producer"], str):
        result["removed"] = tokens.remove(name)
        say(f"{name} has no token any more" if result["removed"] else f"{name} had no token")
    if isinstance(name := wanted["add_producer"], str):
        result["add_producer"] = tokens.add(name, Access.PRODUCER)
        say(f"producer {name}: the token is shown this once")
        click.echo(f"CIS490_TOKEN={result['add_producer']}")
    if wanted["list_producers"]:
        result["producers"] = names = [one.name for one in tokens.grants()]
        for name in names:
            click.echo(name)
    emit_json(result, wanted=as_json)


def _serve(
    store: Path,
    data: Path,
    tokens: Tokens,
    address: tuple[str, int],
    names: tuple[str, ...],
    tls: tuple[Path | None, Path | None],
) -> None:
    from cis490_pipeline.episodes.store import EpisodeStore
    from cis490_pipeline.live.assembly import Rests, watch
    from cis490_pipeline.live.limits import HubLimits
    from cis490_pipeline.live.places import Places
    from cis490_pipeline.receiver.server import listen, raise_file_limit
    from cis490_pipeline.warehouse.warehouse import Warehouse

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    tokens.grants()  # damaged ones are found now, not by the first producer
    places = Places(store=EpisodeStore(store), warehouse=Warehouse(data))
    with listen(*address) as listening:
        host, port = listening.getsockname()[:2]
        name = f"[{host}]" if ":" in host else host
        scheme = "http" if tls[0] is None else "https"
        say(f"{scheme}://{name}:{port} shows {store} and {data}")
        if not ipaddress.ip_address(host).is_loopback:
            say("whoever reaches this port may watch; --name says what browsers may call it")
        raise_file_limit()
        asyncio.run(_running(watch(places, HubLimits(), Rests()), tokens, listening, names, tls))


def _running(
    watching: "Watch",
    tokens: Tokens,
    listening: socket,
    names: tuple[str, ...],
    tls: tuple[Path | None, Path | None],
) -> Coroutine[Any, Any, None]:
    from cis490_pipeline.live.server import serve

    return serve(watching, tokens, listening, names=names, tls=tls)
