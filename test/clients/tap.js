// What the clients in JavaScript share: the steps that each takes, told as TAP,
// and the calls of every function of a lead.  tap.py is the same in Python.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { isDeepStrictEqual } = require('util');

const steps = new Map(fs.readFileSync(path.join(__dirname, 'steps'), 'utf8').trimEnd().split('\n')
	.map((line) => line.match(/^(\S+)\s+(.*)$/).slice(1)));
const taken = [];

// a module, or an end to all
function need(name) {
	try {
		return require(name);
	} catch (error) {
		console.log(`1..0 # SKIP no module ${name}`);
		process.exit(0);
	}
}

// one step: right unless something is said to be wrong
function report(name, wrong) {
	taken.push(name);
	console.log(`${wrong ? 'not ok' : 'ok'} ${taken.length} - ${steps.get(name)}`);
	if (wrong) console.log(wrong.replace(/^/gm, '# '));
}

// each function takes the step of its name, and asserts what it shows
async function take(functions) {
	for (const [name, does] of Object.entries(functions)) {
		try {
			await does();
			report(name);
		} catch (error) {
			report(name, `${error.stack} ${error.detail ?? ''}`);
		}
	}
	for (const name of steps.keys()) if (!taken.includes(name)) report(name, 'not taken');
	console.log(`1..${taken.length}`);
}

function same(found, expected) {
	assert(isDeepStrictEqual(found, expected), `${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

// the error that a promise ends with
async function refusal(promise) {
	let result;
	try {
		result = await promise;
	} catch (error) {
		return error;
	}
	assert.fail(`not refused: ${JSON.stringify(result)}`);
}

const user = (role) => `regress_lq_${role}`;

// Call each function of a lead with nothing but bound values.  run(statement,
// values) gives rows, and leaves nothing behind; a lead that is no string is a key.
async function callFunctions(run, lead) {
	const value = (text) => (/^\d+$/.test(text) && typeof lead !== 'string' ? Number(text) : text);
	const wrong = [];
	for (const call of await run('SELECT function, further FROM lead_call ORDER BY function', [])) {
		const values = ['crm', lead, ...call.further.map(value)];
		const statement = `SELECT * FROM ${call.function}(${values.map((_, i) => `$${i + 1}`).join(', ')})`;
		try {
			await run(statement, values);
		} catch (error) {
			wrong.push(`${call.function}: ${error.message}`);
		}
	}
	assert(!wrong.length, wrong.join('\n'));
}

async function allCovered(run) {
	same(await run('SELECT function FROM lead_function ORDER BY 1', []), await run('SELECT function FROM lead_call ORDER BY 1', []));
}

module.exports = { need, take, same, refusal, user, callFunctions, allCovered };
