import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(__dirname, '..');
export const CHECKLIST_PAGE = join(ROOT, 'docs', 'acceptance-checklist.md');

/** Airbyte's acceptance assertions as the project numbers them: 1–5 image, 6–24 spec, 25–30 check, 31–44 discover, … */
const SECTIONS: readonly (readonly [string, number, number])[] = [
  ['Image', 1, 5],
  ['spec', 6, 24],
  ['check', 25, 30],
  ['discover', 31, 44],
  ['Basic read', 45, 60],
  ['Full refresh', 61, 61],
  ['Incremental', 62, 68],
  ['Attributes and documents', 69, 74],
  ['Our own', 75, 93],
];

/** Checks without a test of ours, with the reason. */
export const NOT_TESTED: ReadonlyMap<number, string> = new Map([
  [60, 'Exists in the configuration of the suite only; it asserts nothing.'],
]);

interface Proof {
  readonly file: string;
  readonly title: string;
}

/** Every test whose title starts with the numbers of the checks that it proves, by number. */
export function findProofs(): Map<number, Proof[]> {
  const proofs = new Map<number, Proof[]>();
  for (const folder of ['test', 'integration_tests']) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    for (const name of files.filter((file) => file.endsWith('.test.ts')).sort()) {
      const path = join(ROOT, folder, name);
      const text = readFileSync(path, 'utf8');
      for (const [, numbers = '', title = ''] of text.matchAll(
        /['"`](?:checks? )?(\d{1,2}(?:(?:, | and )\d{1,2})*): ([^\n]*?)['"`],?(?:\s|\))/g,
      )) {
        for (const number of numbers.match(/\d+/g) ?? []) {
          const proof = { file: relative(ROOT, path), title };
          proofs.set(Number(number), [...(proofs.get(Number(number)) ?? []), proof]);
        }
      }
    }
  }
  return proofs;
}

/** The page that says, number by number, which test proves what. */
export function renderChecklistPage(): string {
  const proofs = findProofs();
  const lines = [
    '# Acceptance checklist',
    '',
    "Airbyte's acceptance assertions, as black-box checks of the built program and of the image, and the test that proves each. Airbyte's own suites run as well, in",
    '`integration_tests/airbyte_suites`. Written by `npm run checklist`; a test fails when the page is not current or a number has neither a test nor a reason.',
  ];
  for (const [title, first, last] of SECTIONS) {
    lines.push('', `## ${title}`, '', '| No. | Shown by | Test |', '| --- | --- | --- |');
    for (let number = first; number <= last; number += 1) {
      const found = proofs.get(number) ?? [];
      for (const { file, title: name } of found) {
        lines.push(
          `| ${number} | \`${file}\` | ${name.replace(/[|<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)} |`,
        );
      }
      if (found.length === 0) lines.push(`| ${number} | – | ${NOT_TESTED.get(number) ?? 'Nothing.'} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

if (require.main === module) writeFileSync(CHECKLIST_PAGE, renderChecklistPage());
