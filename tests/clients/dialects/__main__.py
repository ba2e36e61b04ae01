"""Every documented operation of the three dialects, as a client written from their documentation sees them.

Uses nothing but the standard library. The environment names the server and its credentials: base, account_sid, test_key, test_token,
operator_key, account.
"""

import os
import sys

import audian
import fonedynamics
import telephony_io
from shapes import Fault
from wire import Wire


def main():
    wire = Wire(os.environ["base"])
    for dialect in (audian, telephony_io, fonedynamics):
        dialect.run(wire)
        left = wire.left_out(dialect.NAME)
        if left:
            raise Fault("never called: " + ", ".join(f"{method.upper()} {path}" for _, method, path in left))
        print(f"{dialect.NAME}: {len([called for called in wire.called if called[0] == dialect.NAME])} operations, every field as documented")


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"error: {fault}")
