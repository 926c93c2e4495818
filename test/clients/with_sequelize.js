// Sequelize: a model of the leads with a lock column, and one that saves whole rows.
'use strict';
const assert = require('assert');
const { need, take, same, refusal, user, callFunctions, allCovered } = require('./tap.js');
need('pg');
const { Sequelize, DataTypes, OptimisticLockError, QueryTypes } = need('sequelize');

function connect(role) {
	return new Sequelize({
		dialect: 'postgres', host: process.env.PGHOST, port: process.env.PGPORT, database: process.env.PGDATABASE,
		username: user(role), logging: false, pool: { max: 1 },
		// recipe: connect
		schema: 'crm', define: { timestamps: false, freezeTableName: true },
		// end
	});
}

const [app, sales, owner] = ['app', 'sales', 'owner'].map(connect);

// recipe: models
const known = {
	lead_id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
	external_id: { type: DataTypes.TEXT, unique: true },
	email: DataTypes.TEXT,
	full_name: DataTypes.TEXT,
	job_title: DataTypes.TEXT,
	company_size: DataTypes.INTEGER,
};
const Person = app.define('lead', known);       // what an application writes
const Lead = sales.define('lead', {             // what sales sees and moves
	...known,
	bant: DataTypes.TEXT,
	owner: DataTypes.TEXT,
	stage: DataTypes.TEXT,
	reason: DataTypes.TEXT,
}, { version: 'state_version' });
const activity = {
	activity_id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
	lead_id: DataTypes.BIGINT,
	kind: DataTypes.TEXT,
	source: DataTypes.TEXT,
	external_id: DataTypes.TEXT,
};
// end
const Activity = sales.define('activity', activity);
const Sent = app.define('activity', activity);
const Answer = sales.define('answer', {
	answer_id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
	lead_id: DataTypes.BIGINT, framework: DataTypes.TEXT, element: DataTypes.TEXT, level: DataTypes.TEXT,
});
// without the lock column as one
const Plain = sales.define('plain', { ...Lead.rawAttributes, state_version: DataTypes.BIGINT }, { tableName: 'lead' });

const ann = (model = Lead) => model.findOne({ where: { email: 'ann@example.com' } });
const behind = (statement) => sales.query(statement);

// as the owner, and undone
async function run(statement, bind) {
	const transaction = await owner.transaction();
	try {
		return await owner.query(statement, { bind, transaction, type: QueryTypes.SELECT });
	} finally {
		await transaction.rollback();
	}
}

take({
	async create() {
		// recipe: create
		const lead = await Person.create({ email: 'ann@example.com', full_name: 'Ann Lee', company_size: 900 });
		// end
		same(lead.lead_id, '1');
		const other = await Lead.create({ email: 'cid@example.com' });
		await other.reload();
		same([other.stage, (await ann()).stage], ['lead', 'lead']);
	},

	async types() {
		await (await ann()).update({ bant: 'B+ N~' });
		// recipe: level
		const qualified = await Lead.findAll({ where: sales.literal("bant ->> 'budget' = 'yes'") });
		// end
		same(qualified.map((lead) => lead.bant), ['B+ A? N~ T?']);
	},

	async json() {
		await (await ann()).update({ bant: JSON.stringify({ budget: 'yes', need: 'no' }) });
		same((await ann()).bant, 'B+ A? N- T?');
	},

	async arrays() {
		const lead = await Lead.findOne({
			attributes: [[sales.literal('bant::text[]'), 'levels']],
			where: sales.literal("bant = ANY (ARRAY['B+ N-', 'T+']::bant[])"),
		});
		same(lead.get('levels'), ['yes', 'unknown', 'no', 'unknown']);
	},

	async find() {
		// recipe: find
		const [{ lead, created }] = await app.query('SELECT lead, created FROM find_or_create_lead($1, $2)',
			{ bind: ['crm', 'Ann@Example.com'], type: QueryTypes.SELECT });
		const person = await Person.findByPk(lead);
		// end
		same([person.full_name, created], ['Ann Lee', false]);
		await app.query('SELECT find_or_create_lead($1, $2, $3)', { bind: ['crm', 'bob@example.com', 'web-2'] });
	},

	async upsert() {
		// recipe: upsert
		await app.query('INSERT INTO crm.lead (email, job_title) VALUES ($1, $2)'
			+ ' ON CONFLICT (lower(email)) DO UPDATE SET job_title = excluded.job_title', { bind: ['ANN@example.com', 'CMO'] });
		// end
		same((await ann()).job_title, 'CMO');
	},

	async upsert_id() {
		// recipe: upsert_id
		await Person.upsert({ external_id: 'web-2', job_title: 'CEO' }, { conflictFields: ['external_id'] });
		// end
		same((await Lead.findOne({ where: { email: 'bob@example.com' } })).job_title, 'CEO');
		// with the lock column, too
		await Lead.upsert({ external_id: 'web-2', job_title: 'CFO' }, { conflictFields: ['external_id'] });
		same((await Lead.findOne({ where: { email: 'bob@example.com' } })).job_title, 'CFO');
	},

	async event() {
		async function send() {
			// recipe: event
			await Sent.bulkCreate([{ lead_id: 1, kind: 'whitepaper_download', external_id: 'mail-77' }],
				{ ignoreDuplicates: true, returning: false });
			// end
			return (await sales.query('SELECT score FROM crm.lead_now WHERE lead_id = 1', { type: QueryTypes.SELECT }))[0].score;
		}
		const score = await send();
		assert(Number(score) > 0);
		same(await send(), score);
	},

	async event_id() {
		const seen = await Activity.create({ lead_id: 1, kind: 'email_open' });
		await seen.update({ source: 'newsletter' });
		same((await Activity.findByPk(seen.activity_id)).source, 'newsletter');
	},

	async answer() {
		const said = await Answer.create({ lead_id: 1, framework: 'bant', element: 'timeline', level: 'yes' });
		same((await Answer.findByPk(said.answer_id)).level, 'yes');
		same((await ann()).bant, 'B+ A? N- T+');
	},

	async legal() {
		await (await ann()).update({ stage: 'disqualified', reason: 'no_need' });
		const [last] = await sales.query('SELECT to_stage, reason FROM crm.stage_history ORDER BY history_id DESC LIMIT 1', { type: QueryTypes.SELECT });
		same(last, { to_stage: 'disqualified', reason: 'no_need' });
	},

	async illegal() {
		const lead = await ann();
		// recipe: illegal
		try {
			await lead.update({ stage: 'customer' });
		} catch (error) {
			if (error.parent?.constraint !== 'lead_stage_move') throw error;
		}
		// end
		const error = await refusal((await ann()).update({ stage: 'customer' }));
		same([error.parent.code, error.parent.constraint], ['23514', 'lead_stage_move']);
		assert.match(error.parent.detail, /The key of the lead is 1\./);
	},

	async fresh() {
		const lead = await ann(Plain);
		lead.full_name = 'Ann Lee-Smith';
		await lead.save({ fields: Object.keys(Plain.rawAttributes) });
		same((await ann()).full_name, 'Ann Lee-Smith');
	},

	async stale() {
		const lead = await ann(Plain);
		await behind("UPDATE crm.lead SET bant = bant || 'N+' WHERE lead_id = 1");
		lead.full_name = 'Ann Stale';
		const error = await refusal(lead.save({ fields: Object.keys(Plain.rawAttributes) }));
		same(error.parent.code, '40001');
		same((await ann()).bant, 'B+ A? N+ T+');
	},

	async partial() {
		const lead = await ann(Plain);
		await behind("UPDATE crm.lead SET bant = bant || 'N~' WHERE lead_id = 1");
		await lead.update({ full_name: 'Ann Lee' });
		same([(await ann()).full_name, (await ann()).bant], ['Ann Lee', 'B+ A? N~ T+']);
	},

	async lock() {
		const lead = await ann();
		const before = Number(lead.state_version);
		await lead.update({ owner: 'ben' });
		same(Number((await ann()).state_version), before + 1);
		await behind("UPDATE crm.lead SET bant = bant || 'A+' WHERE lead_id = 1");
		// recipe: lock
		try {
			await lead.update({ owner: 'eve' });
		} catch (error) {
			if (!(error instanceof OptimisticLockError)) throw error;
			await lead.reload();
		}
		// end
		same([lead.owner, lead.bant], ['ben', 'B+ A+ N~ T+']);
		await lead.update({ owner: 'eve' });
	},

	covered: () => allCovered(run),

	async bound_text() {
		await callFunctions(run, 'called@example.com');
		await callFunctions(run, '100');
	},

	bound_key: () => callFunctions(run, 100),

	async bound_many() {
		for (const leads of [[100, 101], ['called@example.com', 'merged@example.com']]) {
			const rows = await run('SELECT sqlstate FROM move_leads($1, $2, $3)', ['crm', leads, 'nowhere']);
			same(rows, [{ sqlstate: '23514' }, { sqlstate: '23514' }]);
		}
	},

	async model() {
		const described = await sales.getQueryInterface().describeTable({ schema: 'crm', tableName: 'lead' });
		same([described.lead_id.primaryKey, described.stage.defaultValue], [true, '*']);
		const answers = await sales.getQueryInterface().describeTable({ schema: 'crm', tableName: 'answer' });
		same(Object.keys(answers).filter((name) => answers[name].primaryKey), ['answer_id']);
	},
}).finally(() => Promise.all([app, sales, owner].map((connection) => connection.close())));
