"""SQLAlchemy: classes that automap makes of the tables, with a lock column."""
import json as json_text
import warnings

import tap
from tap import same, step, user

try:
    import sqlalchemy
    from sqlalchemy import BigInteger, Column, Identity, MetaData, Text, create_engine, func, select, text
    from sqlalchemy.dialects.postgresql import insert
    from sqlalchemy.exc import IntegrityError, OperationalError
    from sqlalchemy.ext.automap import automap_base
    from sqlalchemy.orm import Session
    from sqlalchemy.orm.attributes import flag_modified
    from sqlalchemy.orm.exc import StaleDataError
except ImportError:
    tap.skip_all("no SQLAlchemy with psycopg 2")


def engine(role):
    return create_engine("postgresql+psycopg2://", connect_args={"user": user(role)}, future=True)


app, sales, owner = engine("app"), engine("sales"), engine("owner")

# types that it does not know, and indexes of expressions
warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)
# recipe: models
Base = automap_base(metadata=MetaData(schema="crm"))


class Lead(Base):
    __tablename__ = "lead"
    state_version = Column(BigInteger, nullable=False)
    bant = Column(Text)     # likewise meddic and meddpicc, where they are used
    __mapper_args__ = {"version_id_col": state_version}


class Activity(Base):
    __tablename__ = "activity"
    activity_id = Column(BigInteger, Identity(), primary_key=True)
    __mapper_args__ = {"primary_key": [activity_id]}


# columns are named like the tables that they refer to
Base.prepare(autoload_with=sales, name_for_scalar_relationship=lambda base, local, referred, key: referred.__name__ + "_row")
# end
Answer, StageHistory = Base.classes.answer, Base.classes.stage_history


def ann_of(session):
    return session.execute(select(Lead).where(Lead.email == "ann@example.com")).scalar_one()


def ann(*names):
    with Session(sales) as session:
        return tuple(getattr(ann_of(session), name) for name in names)


def behind(statement):
    """What another session does meanwhile."""
    with sales.begin() as other:
        other.execute(text(statement))


@step
def create():
    with Session(app) as session:
        new = Lead(email="ann@example.com", full_name="Ann Lee", company_size=900)
        session.add(new)
        session.flush()
        key = new.lead_id
        session.commit()
    same(ann("lead_id", "stage", "state_version"), (key, "lead", 1))


@step
def types():
    with Session(sales) as session:
        ann_of(session).bant = "B+ N~"
        session.commit()
        # recipe: level
        qualified = select(Lead).where(Lead.bant.op("->>")("budget") == "yes")
        # end
        same(session.execute(qualified).scalar_one().bant, "B+ A? N~ T?")


@step
def json():
    with Session(sales) as session:
        ann_of(session).bant = json_text.dumps({"budget": "yes", "need": "no"})
        session.commit()
    same(ann("bant"), ("B+ A? N- T?",))


@step
def arrays():
    with sales.begin() as connection:
        same(connection.execute(text("SELECT bant::text[] FROM crm.lead WHERE bant = ANY (CAST(:known AS bant[]))"),
                                {"known": ["B+ N-", "T+"]}).scalar_one(), ["yes", "unknown", "no", "unknown"])


@step
def find():
    # recipe: find
    with Session(app) as session:
        found = func.find_or_create_lead("crm", "Ann@Example.com").table_valued("lead", "created")
        key, created = session.execute(select(found.c.lead, found.c.created)).one()
        name = session.execute(select(Lead.full_name).where(Lead.lead_id == int(key))).scalar_one()
        session.commit()
    # end
    same((name, created), ("Ann Lee", False))
    with app.begin() as connection:
        same(connection.execute(text("SELECT created FROM find_or_create_lead(:funnel, :email, :id)"),
                                {"funnel": "crm", "email": "bob@example.com", "id": "web-2"}).scalar_one(), True)


@step
def upsert():
    # recipe: upsert
    upsert = insert(Lead.__table__).values(email="ANN@example.com", job_title="CMO")
    upsert = upsert.on_conflict_do_update(index_elements=[text("lower(email)")], set_={"job_title": upsert.excluded.job_title})
    # end
    with Session(app) as session:
        session.execute(upsert)
        session.commit()
    same(ann("job_title"), ("CMO",))


@step
def upsert_id():
    statement = insert(Lead.__table__).values(external_id="web-2", job_title="CEO")
    statement = statement.on_conflict_do_update(index_elements=["external_id"], set_={"job_title": statement.excluded.job_title})
    with Session(app) as session:
        session.execute(statement)
        session.commit()
    with Session(sales) as session:
        same(session.execute(select(Lead.job_title).where(Lead.email == "bob@example.com")).scalar_one(), "CEO")


@step
def event():
    def send():
        with Session(app) as session:
            # recipe: event
            session.execute(insert(Activity.__table__).on_conflict_do_nothing().values(
                lead_id=1, kind="whitepaper_download", external_id="mail-77"))
            # end
            session.commit()
        with sales.begin() as connection:
            return connection.execute(text("SELECT score FROM crm.lead_now WHERE lead_id = 1")).scalar_one()

    score = send()
    same(score > 0, True)
    same(send(), score)
    with app.begin() as connection:
        again = select(func.record_activity("crm", "ann@example.com", "whitepaper_download",
                                            None, None, None, "{}", None, "mail-77"))
        same(connection.execute(again).scalar_one(), False)


@step
def event_id():
    with Session(sales) as session:
        seen = Activity(lead_id=1, kind="email_open")
        session.add(seen)
        session.commit()
        seen.source = "newsletter"
        session.commit()
        key = seen.activity_id
        same(session.get(Activity, key).source, "newsletter")


@step
def answer():
    with Session(sales) as session:
        said = Answer(lead_id=1, framework="bant", element="timeline", level="yes")
        session.add(said)
        session.commit()
        same(session.get(Answer, said.answer_id).level, "yes")
    same(ann("bant"), ("B+ A? N- T+",))


@step
def legal():
    with Session(sales) as session:
        lead = ann_of(session)
        lead.stage, lead.reason = "disqualified", "no_need"
        session.commit()
        last = session.execute(select(StageHistory).order_by(StageHistory.history_id.desc())).scalars().first()
        same((last.to_stage, last.reason), ("disqualified", "no_need"))


@step
def illegal():
    with Session(sales) as session:
        lead = ann_of(session)
        # recipe: illegal
        lead.stage = "customer"
        try:
            session.commit()
        except IntegrityError as error:
            told = error.orig.diag
            assert told.constraint_name == "lead_stage_move"
        # end
        assert "The key of the lead is 1." in told.message_detail, told.message_detail


def whole(lead, but):
    """Have every column of the row written, as a row that comes back from a form does."""
    for name in [column.name for column in Lead.__table__.columns if column.name not in but]:
        getattr(lead, name)
        flag_modified(lead, name)


@step
def fresh():
    with Session(sales) as session:
        lead = ann_of(session)
        whole(lead, ["lead_id", "state_version"])
        lead.full_name = "Ann Lee-Smith"
        session.commit()
    same(ann("full_name"), ("Ann Lee-Smith",))


@step
def stale():
    # without the lock column: refused by the server
    Plain = automap_base(metadata=MetaData(schema="crm"))
    Plain.metadata.reflect(sales, only=["lead", "account"])
    Plain.prepare()
    with Session(sales) as session:
        lead = session.get(Plain.classes.lead, 1)
        whole(lead, ["lead_id"])
        lead.full_name = "Ann Stale"
        behind("UPDATE crm.lead SET bant = bant || 'N+' WHERE lead_id = 1")
        # recipe: stale
        try:
            session.commit()
        except OperationalError as error:
            assert error.orig.pgcode == "40001"
            session.rollback()
        # end
        else:
            raise AssertionError("the stale row was saved")
    same(ann("full_name", "bant"), ("Ann Lee-Smith", "B+ A? N+ T+"))


@step
def partial():
    with Session(sales) as session:
        lead = ann_of(session)
        lead.full_name = "Ann Lee"
        session.commit()
    same(ann("full_name"), ("Ann Lee",))


@step
def lock():
    with Session(sales) as session:
        lead = ann_of(session)
        before = lead.state_version
        lead.owner = "ben"
        session.commit()
        same(lead.state_version, before + 1)
        behind("UPDATE crm.lead SET bant = bant || 'A+' WHERE lead_id = 1")
        # recipe: lock
        lead.owner = "eve"
        try:
            session.commit()
        except StaleDataError:
            session.rollback()      # and read it again
        # end
        else:
            raise AssertionError("the stale row was saved")
    same(ann("owner", "state_version"), ("ben", before + 2))


def run(statement, values):
    """As the owner, and undone."""
    with owner.connect() as connection:
        return [list(row) for row in connection.exec_driver_sql(statement, tuple(values))]


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
    made = {name: [column.name for column in Base.metadata.tables["crm." + name].primary_key]
            for name in ("lead", "answer", "stage_history", "deal", "account")}
    same(made, {"lead": ["lead_id"], "answer": ["answer_id"], "stage_history": ["history_id"], "deal": ["deal_id"],
                "account": ["account_id"]})
    same(Lead.__table__.c.stage.server_default is not None, True)
    same([column.name for column in Activity.__mapper__.primary_key], ["activity_id"])


tap.finish()
