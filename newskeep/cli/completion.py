"""`newskeep completion`: commands, options and what they take, by Tab."""

from __future__ import annotations

import os
from pathlib import Path

import click

from newskeep.cli._terminal import echo
from storage.errors import ConfigError
from storage.homes import home

#: Shell -> the folder under the user's that its completions lie in, the variable that moves it, and the file.
_PLACES = {
    "bash": ("XDG_DATA_HOME", ".local/share", "bash-completion/completions/newskeep"),
    "zsh": ("XDG_DATA_HOME", ".local/share", "zsh/site-functions/_newskeep"),
    "fish": ("XDG_CONFIG_HOME", ".config", "fish/completions/newskeep.fish"),
}

_EXAMPLES = """\b
Examples:
  newskeep completion bash --install
  source <(newskeep completion bash)
  newskeep completion fish > ~/.config/fish/completions/newskeep.fish
"""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(list(_PLACES)))
@click.option("--install", is_flag=True, help="Write it where the shell looks for the user's own, and say where.")
def completion(shell: str, install: bool) -> None:
    """Print what makes a shell complete commands, options, sites and pages of newskeep by Tab.

    With --install it goes to the user's folder of completions; no file of yours is changed but that one. bash needs the
    package bash-completion, zsh a line in ~/.zshrc, which is told.
    """
    script = _script(shell)
    if not install:
        click.echo(script)
        return
    variable, below, name = _PLACES[shell]
    file = Path(os.environ.get(variable) or home() / below) / name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{script}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from error
    echo(f"{file} is written, for every {shell} that is opened from now on")
    if shell == "zsh":
        echo(f"zsh looks there with this line before compinit in ~/.zshrc: fpath=({file.parent} $fpath)")


def _script(shell: str) -> str:
    from click.shell_completion import get_completion_class

    from newskeep.cli import newskeep

    made = get_completion_class(shell)
    assert made is not None
    complete = made(newskeep, {}, "newskeep", "_NEWSKEEP_COMPLETE")
    # Not `source`, which runs bash to see how old it is.
    return (complete.source_template % complete.source_vars()).strip()
