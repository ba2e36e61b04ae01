"""What answers look like, written down from the documentation: every member is named, and one more or one less is a fault."""

import re
import uuid


class Fault(Exception):
    """An answer is not what the documentation promises."""


def check(shape, value, path="$"):
    """Compares a value with its shape: a type, a value, a dict of members, a list of one shape, or a function that tells."""
    if isinstance(shape, Optional):
        shape = shape.shape
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise Fault(f"{path} is no object: {value!r}")
        missing = [name for name, inner in shape.items() if name not in value and not isinstance(inner, Optional)]
        unknown = [name for name in value if name not in shape]
        if missing or unknown:
            raise Fault(f"{path} lacks {missing} and has the undocumented {unknown}: {value!r}")
        for name, inner in value.items():
            check(shape[name], inner, f"{path}.{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Fault(f"{path} is no list: {value!r}")
        for index, inner in enumerate(value):
            check(shape[0], inner, f"{path}[{index}]")
    elif callable(shape):
        if not shape(value):
            raise Fault(f"{path} is no {getattr(shape, 'says', shape)}: {value!r}")
    elif value != shape or isinstance(value, bool) != isinstance(shape, bool):
        raise Fault(f"{path} is {value!r} and not {shape!r}")


class Optional:
    """A member that need not be there."""

    def __init__(self, shape):
        self.shape = shape


def told(says):
    def name(test):
        test.says = says
        return test
    return name


def matching(pattern, says):
    compiled = re.compile(pattern)
    return told(says)(lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def nullable(shape):
    def test(value):
        if value is not None:
            check(shape, value)
        return True
    return told(f"null or {getattr(shape, 'says', shape)}")(test)


def one_of(*words):
    return told(f"one of {words}")(lambda value: value in words)


def several_of(*words):
    return told(f"list of {words}")(lambda value: isinstance(value, list) and all(word in words for word in value))


def prefixed(prefix):
    return matching(re.escape(prefix) + "[0-9a-z]+", f"id that begins with {prefix}")


def sid(letter):
    return matching(letter + "[0-9A-Z]{31}", f"sid of 32 characters that begins with {letter}")


anything = told("anything")(lambda value: True)
text = told("text")(lambda value: isinstance(value, str))
whole = told("whole number")(lambda value: isinstance(value, int) and not isinstance(value, bool))
number = told("number")(lambda value: isinstance(value, (int, float)) and not isinstance(value, bool))
boolean = told("boolean")(lambda value: isinstance(value, bool))
e164 = matching(r"\+[1-9][0-9]{6,14}", "number in E.164")
instant = matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "time in UTC")
date = matching(r"\d{4}-\d\d-\d\d", "date")
unix = told("time in Unix seconds")(lambda value: isinstance(value, int) and 1_000_000_000 < value < 10_000_000_000)


@told("UUID")
def a_uuid(value):
    return isinstance(value, str) and str(uuid.UUID(value)) == value
