// Compiles the AssemblyScript of this folder into ../splicer-module.ts, a constant, so that the module is there in every
// way the connector is run (compiled, ts-node, jest) without a file to look for. With `--check` it writes nothing and
// fails when that file is not what the sources give.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const TARGET = join(__dirname, '..', 'splicer-module.ts');
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--outFile', 'splicer.wasm'];

async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(['splicer.ts', ...OPTIONS, '--baseDir', __dirname], {
    writeFile: (name, contents) => {
      if (name === 'splicer.wasm') binary = contents;
    },
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return binary;
}

async function main() {
  const base64 = Buffer.from(await compile()).toString('base64');
  const source =
    '/** The WebAssembly module, base64. Written by assembly/build.js from the sources there. */\n' +
    `export const SPLICER_MODULE =\n  '${base64}';\n`;
  if (!process.argv.includes('--check')) return writeFileSync(TARGET, source);
  if (readFileSync(TARGET, 'utf8') === source) return;
  throw new Error('src/bytes/splicer-module.ts is out of date: run `npm run build:wasm`');
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
