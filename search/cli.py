"""The command line. Data go to stdout, progress and complaints to stderr."""

from __future__ import annotations

import sys
from importlib.metadata import version

import click

from search.commands import run, studies
from search.commands.compare import compare_command
from search.commands.dashboard import dashboard_command
from search.commands.db import db_command
from search.commands.doctor import doctor_command
from search.commands.export import export_command
from search.commands.plan import plan_command
from search.commands.plot import plot_command
from search.commands.prune import prune_command
from search.commands.published import published_command
from search.commands.report import report_command
from search.commands.submit import submit_command
from search.commands.verify import verify_command
from search.configuration import defaults
from search.errors import INTERRUPTED, SearchError
from space.fitting import BudgetError
from space.layers import ArchitectureError
from workers.dataset import DataError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(version("petitnet"), prog_name="petitnet")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    envvar="PETITNET_CONFIG",
    help="TOML file of defaults, one table a command.  [default: petitnet.toml if there is one]",
)
@click.pass_context
def cli(context: click.Context, config: str | None) -> None:
    """Find the smallest convolutional network that reaches a target accuracy under a parameter budget."""
    context.default_map = defaults(config, cli)


_COMMANDS = (
    *run.ALL,
    *studies.ALL,
    plan_command,
    verify_command,
    prune_command,
    export_command,
    compare_command,
    plot_command,
    report_command,
    published_command,
    submit_command,
    dashboard_command,
    db_command,
    doctor_command,
)
for _command in _COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Run the command line and exit with its code; users' mistakes get one line."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except SearchError as error:
        click.echo(f"error: {error}", err=True)
        code = error.exit_code
    except (DataError, BudgetError, ArchitectureError) as error:
        click.echo(f"error: {error}", err=True)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = INTERRUPTED
    sys.exit(code)
