"""Just enough C++ reading for tidy.py: comments, string literals, brace depth. Not a parser."""

import re

TOKEN = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"
      | "(?:[^"\\\n]|\\.)*"
      | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'
    """,
    re.VERBOSE | re.DOTALL,
)
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![0-9a-fA-F])\'(?:[^\'\\]|\\.)+\'')
# What opens a brace that is not a function's.
TYPE = re.compile(
    r"(?:(?:public|private|protected)\s*:\s*)*(?:template\s*)?(?:inline\s+)?"
    r"(?:namespace|class|struct|union|enum|extern)\b"
)
EXPRESSION = re.compile(r"(?:[=,(]|\breturn)$")
ANGLES = re.compile(r"<[^<>]*>")
# a_{1}: clang-format puts a space before the brace of every body, and none before an initialiser.
INITIALISER = re.compile(r"[\w>]$")


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The text with comments and raw strings blanked, line structure kept."""

    def replace(match):
        token = match.group(0)
        if token.startswith(("//", "/*", "R")):
            return _blank(token)
        return token

    return TOKEN.sub(replace, text)


def without_strings(lines):
    """Literals emptied; #include lines are left alone."""
    return [line if line.lstrip().startswith("#") else STRING.sub('""', line) for line in lines]


def functions(lines):
    """Yields (first line, number of lines) of every outermost function body.

    A brace opens a function if what precedes it since the last ; { or } has a parameter list and
    names no type or namespace. Braces inside a function only deepen it.
    """
    open_braces = []  # (is a function's, first line, what preceded an initialiser)
    head, head_line = "", 1
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for character in line + "\n":
            if character == "{":
                initialiser = bool(INITIALISER.search(head))
                inside = any(is_function for is_function, _, _ in open_braces)
                opens = not initialiser and not inside and _heads_a_function(head)
                open_braces.append((opens, head_line, head if initialiser else ""))
                head = ""
            elif character == "}":
                is_function, start, head = open_braces.pop() if open_braces else (False, 0, "")
                if is_function:
                    yield start, number - start + 1
                head_line = start
            elif character == ";":
                head = ""
            else:
                if not head.strip():
                    head_line = number
                head += character


def _heads_a_function(head):
    shorter = ANGLES.sub("", head)
    while shorter != head:
        head, shorter = shorter, ANGLES.sub("", shorter)
    head = head.strip()
    return "(" in head and not TYPE.match(head) and not EXPRESSION.search(head)
