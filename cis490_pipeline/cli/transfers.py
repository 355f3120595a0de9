"""What ``ship`` and ``pull`` share: the receiver's address and the token for it.

Not here: what is transferred.
"""

from collections.abc import Callable
from pathlib import Path

import click

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.receiver.client import Address, Client
from cis490_pipeline.settings import Settings


def connection_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--token-file`` and ``--plain-http``."""
    function = click.option(
        "--plain-http", is_flag=True, help="Allow http:// to another machine (inside a VPN)."
    )(function)
    return click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with the token; default: the variable CIS490_TOKEN.",
    )(function)


def connect(url: str, token_file: Path | None, *, plain: bool) -> Client:
    """Return a client.

    Raises
    ------
    ConfigurationError
        Where the address or the token is unusable.
    """
    return Client(Address.parse(url, plain=plain), token_of(token_file))


def token_of(token_file: Path | None) -> str:
    """Return the token; it is never a word of the command line, where others could read it.

    Raises
    ------
    ConfigurationError
        Where there is none of use.
    """
    token = Settings().token.get_secret_value()
    if token_file is not None:
        token = token_file.read_text("utf-8").strip().removeprefix("CIS490_TOKEN=")
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise ConfigurationError(
            "there is no token to show",
            expected="what `cis490 receive --add-token HOST` (--add-reader NAME) printed, or for "
            "the hub `cis490 live --add-producer NAME`",
            todo="set CIS490_TOKEN, or name a file with --token-file",
        )
    return token
