"""`python -m vezne_cli.document` writes the document; `--record` first takes the examples' answers from a stack."""

import argparse
import json
import sys

from vezne_cli.document.document import ANSWERS, DOCUMENT, build, text
from vezne_cli.document.examples import answers
from vezne_cli.stack import running_stack


def main() -> int:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(prog="vezne_cli.document", description=__doc__)
    parser.add_argument("--record", action="store_true", help="bring a local stack up and take its answers")
    if parser.parse_args().record:
        with running_stack() as stack:
            ANSWERS.write_text(json.dumps(answers(stack), indent=1, ensure_ascii=False) + "\n")
    DOCUMENT.write_text(text(build()))
    sys.stdout.write(f"{DOCUMENT}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
