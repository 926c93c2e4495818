"""Django: models as inspectdb writes them, with the changes that the manual names."""
import io
import os
import re

import tap
from tap import same, step, user

try:
    import django
    import psycopg2
    from django.conf import settings
    from django.core.management import call_command
    from django.db import IntegrityError, OperationalError, connections, models, transaction
except ImportError:
    tap.skip_all("no Django with psycopg 2")


def database(role):
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": user(role),
        # recipe: settings
        "OPTIONS": {"options": "-c search_path=crm,public"},
        # end
        "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
    }


settings.configure(DATABASES={"default": database("app"), "sales": database("sales"), "owner": database("owner")},
                   USE_TZ=True, INSTALLED_APPS=[])
django.setup()


def inspect(*tables):
    written = io.StringIO()
    call_command("inspectdb", *tables, database="sales", include_views=True, stdout=written)
    return written.getvalue()


def adapt(text):
    """What to change in models that inspectdb wrote."""
    # recipe: adapt
    # an identity is one: Django before 4.1 does not see that
    text = re.sub(r"_id = models\.BigIntegerField\(primary_key=True\)", "_id = models.BigAutoField(primary_key=True)", text)
    # the log's key has three columns, of which the last will do
    text = re.sub(r"lead_id = models\.BigAutoField\(primary_key=True\)(\n *occurred_at = .*\n) *activity_id = .*",
                  r"lead_id = models.BigIntegerField()\1    activity_id = models.BigAutoField(primary_key=True)", text)
    # views of a row a lead
    text = text.replace("lead_id = models.BigIntegerField(blank=True, null=True)", "lead_id = models.BigIntegerField(primary_key=True)")
    # end
    return text


generated = inspect("account", "lead", "activity", "answer", "stage_history", "lead_now")
module = {"__name__": "crm.models"}
exec(re.sub(r"class Meta:", 'class Meta:\n        app_label = "crm"', adapt(generated)), module)
Lead, Activity, Answer, StageHistory, LeadNow = (
    module[name] for name in ("Lead", "Activity", "Answer", "StageHistory", "LeadNow"))


def query(role, statement, values):
    with connections[role].cursor() as cursor:
        cursor.execute(statement, values)
        return [list(row) for row in cursor.fetchall()]


def lead(**names):
    return Lead.objects.using("sales").get(**(names or {"email": "ann@example.com"}))


@step
def create():
    ann = Lead.objects.create(email="ann@example.com", full_name="Ann Lee", company_size=900)
    same(lead(pk=ann.lead_id).stage, "lead")


@step
def types():
    from django.db.models import F, Func, TextField, Value

    ann = lead()
    ann.bant = "B+ N~"
    ann.save()
    same(lead().bant, "B+ A? N~ T?")
    # recipe: level
    budget = Func(F("bant"), Value("budget"), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField())
    qualified = Lead.objects.using("sales").annotate(budget=budget).filter(budget="yes")
    # end
    same([row.budget for row in qualified], ["yes"])


@step
def json():
    import json

    ann = lead()
    ann.bant = json.dumps({"budget": "yes", "need": "no"})
    ann.save()
    same(lead().bant, "B+ A? N- T?")


@step
def arrays():
    same(query("sales", "SELECT bant::text[] FROM crm.lead WHERE bant = ANY (%s::bant[])", [["B+ N-", "T+"]]),
         [[["yes", "unknown", "no", "unknown"]]])


@step
def find():
    # recipe: find
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT lead, created FROM find_or_create_lead(%s, %s)", ["crm", "Ann@Example.com"])
        key, created = cursor.fetchone()
    ann = Lead.objects.only("email", "full_name").get(pk=key)
    # end
    same((ann.full_name, created), ("Ann Lee", False))
    same(query("default", "SELECT created FROM find_or_create_lead(%s, %s, %s)", ["crm", "bob@example.com", "web-2"]), [[True]])


@step
def upsert():
    from django.db.models.functions import Lower

    # recipe: upsert
    Lead.objects.annotate(address=Lower("email")).filter(address="ANN@example.com".lower()).update(job_title="CMO")
    # end
    same(lead().job_title, "CMO")


@step
def upsert_id():
    # recipe: upsert_id
    bob, created = Lead.objects.using("sales").update_or_create(external_id="web-2", defaults={"job_title": "CEO"})
    # end
    same((created, lead(pk=bob.pk).job_title), (False, "CEO"))
    bob, created = Lead.objects.using("sales").update_or_create(external_id="web-3", defaults={"job_title": "CIO"})
    same((created, lead(pk=bob.pk).job_title), (True, "CIO"))


@step
def event():
    def send():
        # recipe: event
        Activity.objects.bulk_create(
            [Activity(lead_id=1, kind="whitepaper_download", external_id="mail-77")], ignore_conflicts=True)
        # end
        return LeadNow.objects.using("sales").get(pk=1).score

    score = send()
    same(score > 0, True)
    same(send(), score)
    same(query("default", "SELECT record_activity(%s, %s, %s, external_id => %s)",
               ["crm", "ann@example.com", "whitepaper_download", "mail-77"]), [[False]])


@step
def event_id():
    # recipe: created
    seen = Activity.objects.using("sales").create(lead_id=1, kind="email_open")
    seen.refresh_from_db()      # with what the server gave for NULL
    # end
    seen.source = "newsletter"
    seen.save()
    same(Activity.objects.using("sales").get(pk=seen.activity_id).source, "newsletter")
    same(Activity.objects.using("sales").count(), 2)


@step
def answer():
    said = Answer.objects.using("sales").create(lead_id=1, framework="bant", element="timeline", level="yes")
    same(Answer.objects.using("sales").get(pk=said.answer_id).level, "yes")
    same(lead().bant, "B+ A? N- T+")


@step
def legal():
    ann = lead()
    ann.stage, ann.reason = "disqualified", "no_need"
    ann.save()
    last = StageHistory.objects.using("sales").filter(lead_id=1).latest("history_id")
    same((last.to_stage, last.reason), ("disqualified", "no_need"))


@step
def illegal():
    ann = lead()
    # recipe: illegal
    ann.stage = "customer"
    try:
        ann.save(update_fields=["stage"])
    except IntegrityError as error:
        told = error.__cause__.diag
        assert told.constraint_name == "lead_stage_move"
    # end
    assert "The key of the lead is 1." in told.message_detail, told.message_detail


@step
def fresh():
    ann = lead()
    ann.full_name = "Ann Lee-Smith"
    ann.save()
    same(lead().full_name, "Ann Lee-Smith")


@step
def stale():
    ann = lead()
    query("sales", "UPDATE crm.lead SET bant = bant || %s WHERE lead_id = 1 RETURNING 1", ["N+"])
    ann.full_name = "Ann Stale"
    # recipe: stale
    try:
        ann.save()
    except OperationalError as error:
        assert error.__cause__.pgcode == "40001"
        ann.refresh_from_db()
        ann.full_name = "Ann Lee"
        ann.save()
    # end
    same((lead().full_name, lead().bant), ("Ann Lee", "B+ A? N+ T+"))


@step
def partial():
    ann = lead()
    query("sales", "UPDATE crm.lead SET bant = bant || %s WHERE lead_id = 1 RETURNING 1", ["N~"])
    ann.full_name = "Ann Lee-Smith"
    # recipe: partial
    ann.save(update_fields=["full_name"])
    # end
    same((lead().full_name, lead().bant), ("Ann Lee-Smith", "B+ A? N~ T+"))


@step
def lock():
    ann = lead()
    # recipe: lock
    unchanged = Lead.objects.using("sales").filter(pk=ann.pk, state_version=ann.state_version)
    updated = unchanged.update(owner="ben", state_version=ann.state_version + 1)
    # end
    same(updated, 1)
    same(unchanged.update(owner="eve", state_version=ann.state_version + 1), 0)
    same((lead().owner, lead().state_version), ("ben", ann.state_version + 1))


def run(statement, values):
    """As the owner, and undone."""
    with transaction.atomic("owner"):
        try:
            return query("owner", statement, values)
        finally:
            transaction.set_rollback(True, "owner")


@step
def covered():
    tap.all_covered(run)


@step
def bound_text():
    tap.call_functions(run, "called@example.com")


@step
def bound_key():
    tap.call_functions(run, 100)


@step
def bound_many():
    for leads in [100, 101], ["called@example.com", "merged@example.com"]:
        same([row[2] for row in run("SELECT * FROM move_leads(%s, %s, %s)", ["crm", leads, "nowhere"])], ["23514"] * 2)


@step
def model():
    for key in "lead_id", "answer_id", "history_id", "account_id":
        assert "    %s = models.BigIntegerField(primary_key=True)\n" % key in generated, key
    assert "Unable to inspect" not in generated
    same(Activity._meta.pk.name, "activity_id")
    assert "\n    stage = models.TextField()\n    stage_entered_at" in generated     # which it leaves empty


tap.finish()
