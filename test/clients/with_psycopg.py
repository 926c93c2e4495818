"""psycopg 3: statements by hand, values bound by the server."""
import tap
from tap import same, step, user

try:
    import psycopg
    from psycopg.rows import dict_row
    from psycopg.types.json import Jsonb
except ImportError:
    tap.skip_all("no psycopg 3")


def connect(role):
    return psycopg.connect(user=user(role), autocommit=True, row_factory=dict_row)


app, sales, owner = connect("app"), connect("sales"), connect("owner")


def lead(email):
    return sales.execute("SELECT * FROM crm.lead WHERE email = %s", [email]).fetchone()


def save(row):
    """Write back a whole row, as it was read."""
    columns = [name for name in row if name != "lead_id"]
    sales.execute(
        "UPDATE crm.lead SET %s WHERE lead_id = %%s" % ", ".join(name + " = %s" for name in columns),
        [Jsonb(row[name]) if isinstance(row[name], dict) else row[name] for name in columns] + [row["lead_id"]])


def refusal(statement, values):
    try:
        sales.execute(statement, values)
    except psycopg.Error as error:
        return error
    raise AssertionError("not refused: " + statement)


@step
def create():
    new = app.execute("INSERT INTO crm.lead (email, full_name, company_size) VALUES (%s, %s, %s) RETURNING lead_id",
                      ["ann@example.com", "Ann Lee", 900]).fetchone()
    same(new["lead_id"], 1)
    same(lead("ann@example.com")["stage"], "lead")


@step
def types():
    sales.execute("UPDATE crm.lead SET bant = bant || %s WHERE lead_id = 1", ["B+ N~"])
    row = sales.execute("SELECT bant, bant ->> %s AS budget, bant -> %s AS need FROM crm.lead WHERE lead_id = 1",
                        ["budget", "need"]).fetchone()
    same(row, {"bant": "B+ A? N~ T?", "budget": "yes", "need": "partial"})


@step
def json():
    sales.execute("UPDATE crm.lead SET bant = %s WHERE lead_id = 1", [Jsonb({"budget": "yes", "need": "no"})])
    row = sales.execute("SELECT bant, bant::jsonb AS answers FROM crm.lead WHERE bant = %s",
                        ['{"B": "+", "N": "-"}']).fetchone()
    same(row["bant"], "B+ A? N- T?")
    same(row["answers"]["need"], "no")


@step
def arrays():
    row = sales.execute("SELECT bant::text[] AS levels FROM crm.lead WHERE bant = ANY (%s::text[]::bant[])",
                        [["B+ N-", "T+"]]).fetchone()
    same(row["levels"], ["yes", "unknown", "no", "unknown"])


@step
def find():
    # recipe: find
    row = app.execute("SELECT lead, created FROM find_or_create_lead('crm', email => %s, fields => %s)",
                      ["Ann@Example.com", Jsonb({"company": "Acme"})]).fetchone()
    # end
    same(row, {"lead": "1", "created": False})
    row = app.execute("SELECT created FROM find_or_create_lead(%s, %s, %s)", ["crm", "bob@example.com", "web-2"]).fetchone()
    same(row["created"], True)


@step
def upsert():
    # recipe: upsert
    app.execute("INSERT INTO crm.lead (email, job_title) VALUES (%s, %s)"
                " ON CONFLICT (lower(email)) DO UPDATE SET job_title = excluded.job_title",
                ["ANN@example.com", "CMO"])
    # end
    same(lead("ann@example.com")["job_title"], "CMO")


@step
def upsert_id():
    app.execute("INSERT INTO crm.lead (external_id, job_title) VALUES (%s, %s)"
                " ON CONFLICT (external_id) DO UPDATE SET job_title = excluded.job_title", ["web-2", "CEO"])
    same(lead("bob@example.com")["job_title"], "CEO")


@step
def event():
    # recipe: event
    app.execute("INSERT INTO crm.activity (lead_id, kind, external_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [1, "whitepaper_download", "mail-77"])
    # end
    before = sales.execute("SELECT score FROM crm.lead_now WHERE lead_id = 1").fetchone()
    app.execute("INSERT INTO crm.activity (lead_id, kind, external_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [1, "whitepaper_download", "mail-77"])
    row = app.execute("SELECT record_activity(%s, %s, %s, external_id => %s)",
                      ["crm", "ann@example.com", "whitepaper_download", "mail-77"]).fetchone()
    same(row["record_activity"], False)
    same(sales.execute("SELECT score FROM crm.lead_now WHERE lead_id = 1").fetchone(), before)
    same(before["score"] > 0, True)


@step
def event_id():
    key = app.execute("INSERT INTO crm.activity (lead_id, kind) VALUES (%s, %s) RETURNING activity_id",
                      [1, "email_open"]).fetchone()["activity_id"]
    sales.execute("UPDATE crm.activity SET source = %s WHERE activity_id = %s", ["newsletter", key])
    same(sales.execute("SELECT source FROM crm.activity WHERE activity_id = %s", [key]).fetchone()["source"], "newsletter")


@step
def answer():
    row = sales.execute("INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (%s, %s, %s, %s) RETURNING *",
                        [1, "bant", "timeline", "yes"]).fetchone()
    same(row["level"], "yes")
    same(lead("ann@example.com")["bant"], "B+ A? N- T+")


@step
def legal():
    sales.execute("UPDATE crm.lead SET stage = %s, reason = %s WHERE lead_id = %s", ["disqualified", "no_need", 1])
    same(sales.execute("SELECT to_stage, reason FROM crm.stage_history WHERE lead_id = 1 ORDER BY history_id DESC").fetchone(),
         {"to_stage": "disqualified", "reason": "no_need"})


@step
def illegal():
    # recipe: illegal
    try:
        sales.execute("UPDATE crm.lead SET stage = %s WHERE lead_id = %s", ["customer", 1])
    except psycopg.errors.CheckViolation as error:
        assert error.diag.constraint_name == "lead_stage_move"
        told = error.diag.message_primary, error.diag.message_detail, error.diag.message_hint
    # end
    assert "The key of the lead is 1." in told[1], told


@step
def fresh():
    row = lead("ann@example.com")
    row["full_name"] = "Ann Lee-Smith"
    save(row)
    same(lead("ann@example.com")["full_name"], "Ann Lee-Smith")


@step
def stale():
    row = lead("ann@example.com")
    sales.execute("UPDATE crm.lead SET bant = bant || 'N+' WHERE lead_id = 1")
    try:
        row["full_name"] = "Ann Stale"
        save(row)
    except psycopg.errors.SerializationFailure as error:
        assert "Read the lead again" in error.diag.message_hint, error.diag.message_hint
    else:
        raise AssertionError("the stale row was saved")
    same(lead("ann@example.com")["bant"], "B+ A? N+ T+")


@step
def partial():
    app.execute("UPDATE crm.lead SET full_name = %s WHERE lead_id = %s", ["Ann Lee", 1])
    same(lead("ann@example.com")["full_name"], "Ann Lee")


@step
def lock():
    row = lead("ann@example.com")
    statement = "UPDATE crm.lead SET owner = %s, state_version = %s WHERE lead_id = %s AND state_version = %s"
    values = ["ben", row["state_version"] + 1, 1, row["state_version"]]
    same(sales.execute(statement, values).rowcount, 1)
    same(sales.execute(statement, values).rowcount, 0)
    same(lead("ann@example.com")["state_version"], row["state_version"] + 1)
    same(refusal(statement, ["ben", row["state_version"] + 9, 1, row["state_version"] + 1]).sqlstate, "22023")


def run(statement, values):
    """As the owner, and undone."""
    with owner.transaction(force_rollback=True):
        return [list(row.values()) for row in owner.execute(statement, values).fetchall()]


@step
def covered():
    tap.all_covered(run)


@step
def bound_text():
    tap.call_functions(run, "called@example.com")
    tap.call_functions(run, "100")


@step
def bound_key():
    tap.call_functions(run, 100)


@step
def bound_many():
    for leads in [100, 101], ["called@example.com", "merged@example.com"]:
        same([row[2] for row in run("SELECT * FROM move_leads(%s, %s, %s)", ["crm", leads, "nowhere"])], ["23514"] * 2)


@step
def model():
    row = sales.execute("SELECT column_default, is_nullable FROM information_schema.columns"
                        " WHERE table_schema = %s AND table_name = %s AND column_name = %s", ["crm", "lead", "stage"]).fetchone()
    same((row["column_default"] is None, row["is_nullable"]), (False, "NO"))


tap.finish()
