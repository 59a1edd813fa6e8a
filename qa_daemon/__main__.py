"""`python -m qa_daemon` is the command `qa-daemon`."""

from qa_daemon.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
