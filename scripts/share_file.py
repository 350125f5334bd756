"""Share a file with another data set: a relative link, or a copy where the file system has no links.

Snakemake touches what a job has made. Were it a second name of the same file, that file would be newer than what has
been made from it.
"""

import os
import shutil
from pathlib import Path

from common.files import atomic_write
from common.logs import run_logged

if __name__ == "__main__":
    with run_logged(snakemake.log[0], "share_file"), atomic_write(snakemake.output.file) as part:
        try:
            part.symlink_to(os.path.relpath(Path(snakemake.input.file).resolve(), part.parent.resolve()))
        except OSError:
            shutil.copyfile(snakemake.input.file, part)
