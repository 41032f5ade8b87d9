'use strict';
// Runs the built program many times in one process: its own main.js, with an object of our making in place of `process`,
// which nothing but main.js touches. One run after the other, by messages {id, args, env}; the answer has what was printed.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { Writable } = require('node:stream');
const { compileFunction } = require('node:vm');

const [main] = process.argv.slice(2);
const source = readFileSync(main, 'utf8');
const withResult = source.replace(/^void main\(\);$/m, 'return main();');
if (withResult === source) throw new Error(`${main} does not end by calling main`);
const NAMES = ['exports', 'require', 'module', '__filename', '__dirname', 'process'];
const program = compileFunction(withResult, NAMES, { filename: main });
const load = createRequire(main);

class Sink extends Writable {
  chunks = [];

  _write(chunk, _encoding, callback) {
    // Copied: the writer uses its memory again.
    this.chunks.push(Buffer.from(chunk));
    callback();
  }

  text() {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

let current;
// As Node does it: without a handler of the program's own, the stack goes to stderr and the exit code is 1.
process.on('uncaughtException', (error) => {
  const handlers = current?.handlers.get('uncaughtException') ?? [];
  for (const handle of handlers) handle(error);
  if (handlers.length === 0) current?.crash(error);
});

async function run(args, env) {
  const handlers = new Map();
  const add = (name, handle) => handlers.set(name, [...(handlers.get(name) ?? []), handle]);
  const fake = {
    argv: [process.argv[0], main, ...args],
    env,
    pid: process.pid,
    exitCode: undefined,
    stdout: new Sink(),
    stderr: new Sink(),
    on: add,
    once: add,
    removeListener: () => undefined,
    kill: (pid, signal) => process.kill(pid, signal === 0 ? 0 : undefined),
  };
  const crashed = new Promise((resolve) => {
    current = { handlers, crash: resolve };
  });
  const ended = program({}, load, {}, main, dirname(main), fake).then(
    () => undefined,
    (error) => error,
  );
  const crash = await Promise.race([ended, crashed]);
  if (crash !== undefined) fake.stderr.write(String(crash?.stack ?? crash));
  for (const handle of handlers.get('exit') ?? []) handle();
  const exitCode = crash === undefined ? (fake.exitCode ?? 0) : 1;
  return { stdout: fake.stdout.text(), stderr: fake.stderr.text(), exitCode };
}

process.on('message', ({ id, args, env }) => {
  run(args, env).then(
    (result) => process.send({ id, ...result }),
    (error) => process.send({ id, stdout: '', stderr: String(error?.stack), exitCode: 1 }),
  );
});
