"""The arguments of `qa-daemon models`."""

from pathlib import Path

from qa_daemon.cli.usage.words import (
    Commands,
    command,
    count,
    group,
    with_configuration,
    with_json,
)


def add_models(commands: Commands) -> None:
    """Declare the commands about models, and the one that feeds the next."""
    export = with_configuration(
        command(
            commands,
            "export-labels",
            "write what people decided as labelled pictures for a training",
            "modelling.labels:export_labels",
            more="Per target a folder with labels.csv and small pictures without identifiers\n"
            "(PS3.15 Basic Profile). Pictures that may show text are left out.\n"
            "Then: qa-daemon train TARGET --extra FOLDER/TARGET ...",
        )
    )
    export.add_argument("folder", type=Path, metavar="FOLDER", help="made if it does not exist")
    actions = group(
        commands,
        "models",
        "which models there are, and which are in force",
        more="Of the models that come with the release the newest are in force. Packages of\n"
        "the site lie in STATE/models/ID/VERSION; one of them runs in shadow, where no\n"
        "rule sees what it says, until it is promoted.",
    )
    with_configuration(
        command(
            actions,
            "list",
            "list the models and run their golden inputs; status 1 if one is unavailable",
            "modelling.packages:list_models",
        )
    )
    shadow = command(
        actions,
        "shadow",
        "let a model run beside the one in force, or report what it would change",
        "modelling.packages:shadow",
    )
    shadow.add_argument("model", nargs="?", metavar="ID@VERSION", help="as `models list` shows it")
    shadow.add_argument(
        "--report", action="store_true", help="the difference in alarms, series judged again"
    )
    shadow.add_argument(
        "--limit", type=count, default=10_000, metavar="N", help="the latest N series"
    )
    with_json(with_configuration(shadow))
    for name, purpose in (
        ("unshadow", "end the shadow of a model"),
        ("promote", "bring a model into force"),
        ("retire", "go back from a promoted model to the one of the release"),
    ):
        action = with_configuration(command(actions, name, purpose, f"modelling.packages:{name}"))
        action.add_argument("model", metavar="ID@VERSION", help="as `models list` shows it")
        if name == "promote":
            action.add_argument(
                "--yes", action="store_true", help="although no series was seen by it in shadow"
            )
