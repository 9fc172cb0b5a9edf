"""Which of the system's programs are there?"""

import os
import shutil

MARIADB = "mariadbd"
INSTALL_MARIADB = "apt-get install mariadb-server-core mariadb-client-core"
# Debian keeps servers where an ordinary user's PATH does not look.
MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


def program(name: str) -> str | None:
    """Where a program is; None if it is not installed."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *MORE_FOLDERS)))
