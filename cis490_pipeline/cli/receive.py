"""``cis490 receive``: take episodes over HTTP into a store, and manage the tokens for it.

Not here: TLS names and firewalls (``deploy/``).
"""

import ipaddress
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from cis490_pipeline.cli.output import emit_json, json_option, say
from cis490_pipeline.errors import StoreError
from cis490_pipeline.receiver.layout import ReceiverLayout
from cis490_pipeline.receiver.tokens import Access, Tokens
from cis490_pipeline.schema.ids import host_id_or_none
from cis490_pipeline.settings import Settings

PORT: Final = 8490
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


class NameParameter(click.ParamType[str]):
    """A name that a host can have."""

    name = "name"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Refuse what a path could not hold."""
        found = host_id_or_none(str(value))
        if found is None:
            self.fail("no name that a host can have: letters, digits, '.', '_', '-'", param, ctx)
        return found


def _token_options(function: Callable[..., None]) -> Callable[..., None]:
    for flag, text in (
        (
            "--add-token",
            "Print a new token for a host that ships; its old one is void. No serving.",
        ),
        ("--add-reader", "Print a new token for one who only pulls, from every host. No serving."),
        ("--remove-token", "Make all tokens of that name void. No serving."),
    ):
        function = click.option(
            flag, type=NameParameter(), default=None, metavar="NAME", help=text
        )(function)
    return click.option(
        "--list-tokens", is_flag=True, help="Say who has a token (no token). No serving."
    )(function)


@click.command("receive", help="Receive episodes over HTTP into STORE; see also ship and pull.")
@click.argument("store", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--bind", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option("--certificate", type=_FILE, help="TLS certificate chain (PEM).")
@click.option("--key", type=_FILE, help="Its private key (PEM).")
@_token_options
@json_option
def command(
    store: Path | None,
    bind: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    *,
    as_json: bool,
    **tokens: str | bool | None,
) -> None:
    """Manage tokens where that is asked for, else serve until it is ended."""
    settings = Settings()
    root = settings.store if store is None else store.resolve()
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key belong together")
    try:
        ReceiverLayout(root).make()
        if any(tokens.values()):
            _manage(Tokens(ReceiverLayout(root).tokens), tokens, as_json=as_json)
        else:
            _serve(root, settings, (bind, port), (certificate, key))
    except OSError as error:
        raise StoreError(
            "the store cannot be written",
            where=error.filename or str(root),
            found=error.strerror or type(error).__name__,
            todo="check the path, its owner and free space",
        ) from error


def _manage(tokens: Tokens, wanted: dict[str, str | bool | None], *, as_json: bool) -> None:
    result: dict[str, object] = {}
    if isinstance(name := wanted["remove_token"], str):
        result["removed"] = tokens.remove(name)
        say(f"{name} has no token any more" if result["removed"] else f"{name} had no token")
    for option, access in (("add_token", Access.HOST), ("add_reader", Access.READER)):
        if isinstance(name := wanted[option], str):
            token = tokens.add(name, access)
            say(f"{access} {name}: the token is shown this once; give it to ship or pull:")
            click.echo(f"CIS490_TOKEN={token}")
            result[option] = token
    if wanted["list_tokens"]:
        grants = [(one.access.value, one.name) for one in tokens.grants()]
        for access, name in grants:
            click.echo(f"{access} {name}")
        result["tokens"] = [{"access": access, "name": name} for access, name in grants]
    emit_json(result, wanted=as_json)


def _serve(
    root: Path,
    settings: Settings,
    address: tuple[str, int],
    tls: tuple[Path | None, Path | None],
) -> None:
    from cis490_pipeline.receiver.app import build_app
    from cis490_pipeline.receiver.keeper import open_keeper
    from cis490_pipeline.receiver.limits import Limits
    from cis490_pipeline.receiver.server import listen, make_server, raise_file_limit

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    limits = Limits(
        max_bytes=settings.receiver_max_bytes,
        uploads=settings.receiver_uploads,
        body_s=settings.receiver_body_s,
    )
    with open_keeper(root) as keeper, listen(*address) as listening:
        tokens = Tokens(keeper.layout.tokens)
        grants = tokens.grants()
        scheme = "http" if tls[0] is None else "https"
        host, port = listening.getsockname()[:2]
        name = f"[{host}]" if ":" in host else host
        say(f"{len(keeper)} episodes in {root}, {len(grants)} tokens; {scheme}://{name}:{port}")
        if not grants:
            say("nobody may ship: add a token with --add-token HOST (no restart is needed)")
        if scheme == "http" and not ipaddress.ip_address(host).is_loopback:
            say("tokens and episodes cross the network readably: give --certificate and --key")
        raise_file_limit()
        server = make_server(build_app(keeper, tokens, limits), limits, *tls)
        server.run(sockets=[listening])
