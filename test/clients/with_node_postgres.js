// node-postgres: statements by hand, every value bound without a type.
'use strict';
const assert = require('assert');
const { need, take, same, refusal, user, callFunctions, allCovered } = require('./tap.js');
const { Pool } = need('pg');

const [app, sales, owner] = ['app', 'sales', 'owner'].map((role) => new Pool({ user: user(role), max: 1 }));

async function ann() {
	return (await sales.query('SELECT * FROM crm.lead WHERE email = $1', ['ann@example.com'])).rows[0];
}

// write back a whole row, as it was read
async function save(row) {
	const columns = Object.keys(row).filter((name) => name !== 'lead_id');
	await sales.query(`UPDATE crm.lead SET ${columns.map((name, i) => `${name} = $${i + 2}`).join(', ')} WHERE lead_id = $1`,
		[row.lead_id, ...columns.map((name) => row[name])]);
}

// as the owner, and undone
async function run(statement, values) {
	await owner.query('BEGIN');
	try {
		return (await owner.query(statement, values)).rows;
	} finally {
		await owner.query('ROLLBACK');
	}
}

take({
	async create() {
		const { rows } = await app.query('INSERT INTO crm.lead (email, full_name, company_size) VALUES ($1, $2, $3) RETURNING lead_id',
			['ann@example.com', 'Ann Lee', 900]);
		same(rows[0].lead_id, '1');
		same((await ann()).stage, 'lead');
	},

	async types() {
		await sales.query('UPDATE crm.lead SET bant = bant || $1 WHERE lead_id = $2', ['B+ N~', 1]);
		const { rows } = await sales.query('SELECT bant, bant ->> $1 AS budget, bant -> $2 AS need FROM crm.lead WHERE lead_id = 1', ['budget', 'need']);
		same(rows, [{ bant: 'B+ A? N~ T?', budget: 'yes', need: 'partial' }]);
	},

	async json() {
		// recipe: json
		await sales.query('UPDATE crm.lead SET bant = $1 WHERE lead_id = $2', [{ budget: 'yes', need: 'no' }, 1]);
		// end
		const { rows } = await sales.query('SELECT bant::jsonb AS answers FROM crm.lead WHERE bant = $1', ['{"B": "+", "N": "-"}']);
		same(rows[0].answers.need, 'no');
	},

	async arrays() {
		const { rows } = await sales.query('SELECT bant::text[] AS levels FROM crm.lead WHERE bant = ANY ($1)', [['B+ N-', 'T+']]);
		same(rows[0].levels, ['yes', 'unknown', 'no', 'unknown']);
	},

	async find() {
		// recipe: find
		const { rows } = await app.query('SELECT lead, created FROM find_or_create_lead($1, email => $2, fields => $3)',
			['crm', 'Ann@Example.com', { company: 'Acme' }]);
		// end
		same(rows[0], { lead: '1', created: false });
		same((await app.query('SELECT created FROM find_or_create_lead($1, $2, $3)', ['crm', 'bob@example.com', 'web-2'])).rows, [{ created: true }]);
	},

	async upsert() {
		await app.query('INSERT INTO crm.lead (email, job_title) VALUES ($1, $2)'
			+ ' ON CONFLICT (lower(email)) DO UPDATE SET job_title = excluded.job_title', ['ANN@example.com', 'CMO']);
		same((await ann()).job_title, 'CMO');
	},

	async upsert_id() {
		const { rows } = await app.query('INSERT INTO crm.lead (external_id, job_title) VALUES ($1, $2)'
			+ ' ON CONFLICT (external_id) DO UPDATE SET job_title = excluded.job_title RETURNING email', ['web-2', 'CEO']);
		same(rows[0].email, 'bob@example.com');
	},

	async event() {
		async function send() {
			await app.query('INSERT INTO crm.activity (lead_id, kind, external_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
				[1, 'whitepaper_download', 'mail-77']);
			return (await sales.query('SELECT score FROM crm.lead_now WHERE lead_id = 1')).rows[0].score;
		}
		const score = await send();
		assert(Number(score) > 0);
		same(await send(), score);
		const { rows } = await app.query('SELECT record_activity($1, $2, $3, external_id => $4)',
			['crm', 'ann@example.com', 'whitepaper_download', 'mail-77']);
		same(rows, [{ record_activity: false }]);
	},

	async event_id() {
		const { rows } = await app.query('INSERT INTO crm.activity (lead_id, kind) VALUES ($1, $2) RETURNING activity_id', [1, 'email_open']);
		const changed = await sales.query('UPDATE crm.activity SET source = $1 WHERE activity_id = $2 RETURNING source', ['newsletter', rows[0].activity_id]);
		same(changed.rows, [{ source: 'newsletter' }]);
	},

	async answer() {
		const { rows } = await sales.query('INSERT INTO crm.answer (lead_id, framework, element, level) VALUES ($1, $2, $3, $4) RETURNING *',
			[1, 'bant', 'timeline', 'yes']);
		same(rows[0].level, 'yes');
		same((await ann()).bant, 'B+ A? N- T+');
	},

	async legal() {
		await sales.query('UPDATE crm.lead SET stage = $1, reason = $2 WHERE lead_id = $3', ['disqualified', 'no_need', 1]);
		const { rows } = await sales.query('SELECT to_stage, reason FROM crm.stage_history WHERE lead_id = $1 ORDER BY history_id DESC LIMIT 1', [1]);
		same(rows, [{ to_stage: 'disqualified', reason: 'no_need' }]);
	},

	async illegal() {
		// recipe: illegal
		try {
			await sales.query('UPDATE crm.lead SET stage = $1 WHERE lead_id = $2', ['customer', 1]);
		} catch (error) {
			if (error.constraint !== 'lead_stage_move') throw error;
			console.log(`# ${error.message}; ${error.hint}`);
		}
		// end
		const error = await refusal(sales.query('UPDATE crm.lead SET stage = $1 WHERE lead_id = $2', ['customer', 1]));
		same([error.code, error.constraint], ['23514', 'lead_stage_move']);
		assert.match(error.detail, /The key of the lead is 1\./);
	},

	async fresh() {
		await save({ ...await ann(), full_name: 'Ann Lee-Smith' });
		same((await ann()).full_name, 'Ann Lee-Smith');
	},

	async stale() {
		const row = await ann();
		await sales.query('UPDATE crm.lead SET bant = bant || $1 WHERE lead_id = 1', ['N+']);
		const error = await refusal(save({ ...row, full_name: 'Ann Stale' }));
		same(error.code, '40001');
		assert.match(error.hint, /Read the lead again/);
		same((await ann()).bant, 'B+ A? N+ T+');
	},

	async partial() {
		await app.query('UPDATE crm.lead SET full_name = $1 WHERE lead_id = $2', ['Ann Lee', 1]);
		same((await ann()).full_name, 'Ann Lee');
	},

	async lock() {
		const version = Number((await ann()).state_version);
		const update = () => sales.query('UPDATE crm.lead SET owner = $1, state_version = $2 WHERE lead_id = $3 AND state_version = $4', ['ben', version + 1, 1, version]);
		same((await update()).rowCount, 1);
		same((await update()).rowCount, 0);
		same((await ann()).state_version, String(version + 1));
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
		const { rows } = await sales.query('SELECT column_default, is_nullable FROM information_schema.columns'
			+ ' WHERE table_schema = $1 AND table_name = $2 AND column_name = $3', ['crm', 'lead', 'stage']);
		same(rows, [{ column_default: "'*'::text", is_nullable: 'NO' }]);
	},
}).finally(() => Promise.all([app, sales, owner].map((pool) => pool.end())));
