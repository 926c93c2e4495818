"""What the clients in Python share: the steps that each takes, told as TAP, and
the calls of every function of a lead."""
import os
import sys
import traceback

FOLDER = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(FOLDER, "steps"), encoding="utf-8") as lines:
    STEPS = dict(line.rstrip("\n").split(None, 1) for line in lines)
taken = []


def skip_all(why):
    print("1..0 # SKIP", why)
    sys.exit(0)


def report(name, wrong):
    """One step: right unless something is said to be wrong."""
    taken.append(name)
    print("not ok" if wrong else "ok", len(taken), "-", STEPS[name])
    for line in str(wrong or "").splitlines():
        print("#", line)
    sys.stdout.flush()


def skip(name, why):
    taken.append(name)
    print("ok", len(taken), "-", STEPS[name], "# SKIP", why)


def step(function):
    """A function that takes the step of its name, and asserts what it shows."""
    try:
        function()
        wrong = None
    except Exception:
        wrong = traceback.format_exc()
    report(function.__name__, wrong)
    return function


def same(found, expected):
    assert found == expected, "%r instead of %r" % (found, expected)


def finish():
    for name in STEPS:
        if name not in taken:
            report(name, "not taken")
    print("1..%d" % len(taken))


def user(role):
    return "regress_lq_" + role


def call_functions(run, lead):
    """Call each function of a lead with nothing but bound values.  run(statement,
    values) gives rows, and leaves nothing behind; a lead that is no text is a key."""
    def value(text):
        return int(text) if text.isdigit() and not isinstance(lead, str) else text

    wrong = []
    for function, further in run("SELECT function, further FROM lead_call ORDER BY function", []):
        values = ["crm", lead] + [value(text) for text in further]
        statement = "SELECT * FROM %s(%s)" % (function, ", ".join(["%s"] * len(values)))
        try:
            run(statement, values)
        except Exception as error:
            wrong.append("%s: %s" % (function, error))
    assert not wrong, "\n".join(wrong)


def all_covered(run):
    same(run("SELECT function FROM lead_function ORDER BY 1", []), run("SELECT function FROM lead_call ORDER BY 1", []))
