'use strict';
/*
 * Adds up what the suites of a run left behind: node .ci/sum-results.js FOLDER
 *
 * FOLDER/steps.tsv has a line for each step: name, title, exit code, seconds. A step that ran tests has a folder of its own
 * name with Jest's JSON or JUnit's XML. Prints the steps, then `N passed, N failed`, and fails when anything did.
 */
const fs = require('node:fs');
const path = require('node:path');

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @returns {Counts} */
function countJest(text) {
  const report = JSON.parse(text);
  return {
    passed: report.numPassedTests,
    // A file that does not even load has no tests that could fail.
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** @returns {Counts} */
function countJunit(text) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [tag] of text.matchAll(/<testsuite\s[^>]*>/g)) {
    const read = (name) => Number(new RegExp(`\\s${name}="(\\d+)"`).exec(tag)?.[1] ?? 0);
    const failed = read('failures') + read('errors');
    total.failed += failed;
    total.skipped += read('skipped');
    total.passed += read('tests') - failed - read('skipped');
  }
  return total;
}

/** Sums a folder's results; null when the step ran no tests by design. */
function countFolder(folder) {
  if (!fs.existsSync(folder)) return null;
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    const count = { '.json': countJest, '.xml': countJunit }[path.extname(name)];
    if (count === undefined) continue;
    const counts = count(fs.readFileSync(path.join(folder, name), 'utf8'));
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  return total;
}

/** What a step adds to the sum, and a remark for people. */
function judge(code, counts) {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const tests = counts === null ? [] : [`${passed} passed, ${failed} failed, ${skipped} skipped`];
  const fail = (why, failures) => ({
    passed,
    failed: failures,
    skipped,
    remark: ['FAILED', why, ...tests].join('; '),
  });
  // A lint error, or a suite that crashed after its last test, must not hide behind a sum without failures.
  if (code !== 0) return fail(`exit code ${code}`, Math.max(failed, 1));
  if (failed > 0) return fail('exit code 0 in spite of failed tests', failed);
  if (counts !== null && passed === 0) return fail('ran no test', 1);
  return { passed, failed, skipped, remark: tests[0] ?? 'done' };
}

function main(folder) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const lines = fs.readFileSync(path.join(folder, 'steps.tsv'), 'utf8').trimEnd().split('\n');
  for (const line of lines) {
    const [name, title, code, seconds] = line.split('\t');
    const verdict = judge(Number(code), countFolder(path.join(folder, name)));
    for (const key of Object.keys(sum)) sum[key] += verdict[key];
    process.stdout.write(`${title.padEnd(34)}${seconds.padStart(5)} s  ${verdict.remark}\n`);
  }
  const skipped = sum.skipped === 0 ? '' : `, ${sum.skipped} skipped`;
  process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed${skipped}\n`);
  if (sum.failed > 0) process.exitCode = 1;
}

main(process.argv[2]);
