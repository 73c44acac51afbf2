"""Print the commands of the README's section "Two commands", one a line."""

import re
from pathlib import Path

readme = Path(__file__).parents[1].joinpath("README.md").read_text()
section = re.search(r"^## Two commands$(.*?)^## ", readme, re.DOTALL | re.MULTILINE).group(1)
commands = [line for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for line in block.splitlines() if line]
assert len(commands) == 2, commands
print("\n".join(commands))
