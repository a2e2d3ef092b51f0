# tests/docs/first_block.py: writes the first fenced block of a language in a Markdown page to a file.
# Usage: first_block.py PAGE LANGUAGE FILE
import pathlib
import re
import sys

page, language, target = sys.argv[1:4]
block = re.search(rf"^```{language}\n(.*?)^```$", pathlib.Path(page).read_text(), re.M | re.S)
if not block:
    sys.exit(f"{page}: no block of {language}")
text = block.group(1)
path = pathlib.Path(target)
if not path.exists() or path.read_text() != text:
    path.write_text(text)
