#!/usr/bin/env node
// The connector with one thing in its output spoiled, as BREAK says. It shows that a suite would notice such a defect.
const { spawn } = require('node:child_process');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

const breaks = {
  /** A field is declared as another type than its records have. */
  'schema type': (message) => {
    const events = message.catalog?.streams.find(({ name }) => name === 'events');
    if (events) events.json_schema.properties.event_type.type = ['null', 'integer'];
    return message;
  },
  /** A check says the opposite of what it found. */
  status: (message) => {
    const result = message.connectionStatus;
    if (result) result.status = result.status === 'SUCCEEDED' ? 'FAILED' : 'SUCCEEDED';
    return message;
  },
  /** States claim one record too many. */
  'state count': (message) => {
    if (message.type === 'STATE') message.state.sourceStats.recordCount += 1;
    return message;
  },
  /** A schema is no JSON schema. */
  'invalid schema': (message) => {
    const events = message.catalog?.streams.find(({ name }) => name === 'events');
    if (events) events.json_schema.properties.event_type.type = 'text';
    return message;
  },
  /** A read that went well ends as if it had failed. */
  'false failure': (message) => message,
};

const spoil = breaks[process.env.BREAK];
if (spoil === undefined) throw new Error(`BREAK must be one of: ${Object.keys(breaks).join(', ')}`);

const program = process.env.BREAK_PROGRAM ?? join(__dirname, '..', '..', 'bin', 'source-amplitude');
const child = spawn(program, process.argv.slice(2), { stdio: ['ignore', 'pipe', 'inherit'] });
const write = (line) => {
  // Lines that the break does not concern stay byte for byte what they were.
  const concerned = /^\{"type":"(CATALOG|CONNECTION_STATUS|STATE|TRACE)"/.test(line);
  process.stdout.write(`${concerned ? JSON.stringify(spoil(JSON.parse(line))) : line}\n`);
};
createInterface({ input: child.stdout }).on('line', write);
child.on('close', (code) => {
  process.exitCode = process.env.BREAK === 'false failure' && process.argv[2] === 'read' ? 1 : code;
});
