"""Share a file with another data set: both names are of one file, or of two where the file system has no such links."""

import os
import shutil

from common.files import atomic_write
from common.logs import run_logged

if __name__ == "__main__":
    with run_logged(snakemake.log[0], "share_file"), atomic_write(snakemake.output.file) as part:
        try:
            os.link(snakemake.input.file, part)
        except OSError:
            shutil.copyfile(snakemake.input.file, part)
