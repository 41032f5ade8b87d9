import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Section 7.8 of Airbyte's acceptance checklist as far as it can be checked without a network; a test's name starts with the
 * number of its check. Whether links answer (74) cannot; that they are absolute https links or files that exist can.
 */
const ROOT = join(__dirname, '..', '..');
const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = readText('docs/amplitude.md');
const metadata = readText('metadata.yaml');
/** Text outside of code blocks. */
const prose = page.replace(/^```[\s\S]*?^```$/gm, '');
const headings = [...prose.matchAll(/^(#{1,4}) (.+)$/gm)].map(
  ([, level = '', title = '']) => `${level} ${title.trim()}`,
);
const section = (heading: string): string => {
  const start = prose.indexOf(`\n${heading}\n`);
  const rest = prose.slice(start + heading.length + 2);
  const level = heading.split(' ')[0] ?? '';
  const end = new RegExp(`^#{1,${String(level.length)}} `, 'm').exec(rest)?.index ?? rest.length;
  return start < 0 ? '' : rest.slice(0, end);
};
const listUnder = (key: string, name: string): string[] =>
  (new RegExp(`^  ${key}:\\n    ${name}:\\n((?:      - .+\\n)+)`, 'm').exec(metadata)?.[1] ?? '')
    .split('\n')
    .map((line) => line.replace(/^\s*- /, ''))
    .filter((line) => line !== '');

it('69: metadata.yaml names the hosts that may be reached', () => {
  expect(listUnder('allowedHosts', 'hosts')).toEqual(['amplitude.com', 'analytics.eu.amplitude.com']);
});

it('70: metadata.yaml suggests streams, all of which exist', () => {
  const suggested = listUnder('suggestedStreams', 'streams');
  expect(suggested.length).toBeGreaterThan(0);
  for (const stream of suggested)
    expect([stream, existsSync(join(ROOT, 'schemas', `${stream}.json`))]).toEqual([stream, true]);
});

it('71: the headings of the user page stand in the order of Airbyte’s template', () => {
  const template = [
    '# Amplitude',
    '## Prerequisites',
    '## Setup guide',
    '## Set up Amplitude',
    '### For Airbyte Cloud:',
    '### For Airbyte Open Source:',
    '## Supported sync modes',
    '## Supported Streams',
    '## Changelog',
  ];
  expect(headings.filter((heading) => template.includes(heading))).toEqual(template);
  expect(headings.at(-1)).toBe('## Changelog');
});

it('72: the prerequisites name every required field and what kind of credentials they are', () => {
  const spec = JSON.parse(readText('spec.json')) as {
    connectionSpecification: { required: string[]; properties: Record<string, { title: string }> };
  };
  const { required, properties } = spec.connectionSpecification;
  const text = section('## Prerequisites').toLowerCase();
  expect(required.length).toBeGreaterThan(0);
  for (const key of required) expect(text).toContain(properties[key]?.title.toLowerCase());
  expect(text).toMatch(/account|auth|credentials|access|client/);
});

it('73: the fixed sentences of the template are there', () => {
  expect(page).toContain('This page contains the setup guide and reference information for the [Amplitude](');
  expect(section('### For Airbyte Cloud:')).toMatch(
    /1\. \[Log into your Airbyte Cloud\]\(https:\/\/cloud\.airbyte\.com\/workspaces\) account\./,
  );
  expect(section('### For Airbyte Open Source:')).toMatch(
    /1\. Navigate to the Airbyte Open Source dashboard\./,
  );
  expect(section('## Supported sync modes')).toMatch(
    /supports the following \[sync modes\]\(https:\/\/docs\.airbyte\.com\/cloud\/core-concepts\/#connection-sync-modes\)/,
  );
});

it('74: every link of the user page is an absolute https link, a heading of the page, or a file that exists', () => {
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(0);
  const anchors = headings.map(
    (heading) =>
      `#${heading
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-')}`,
  );
  const broken = links.filter((link) => {
    if (link.startsWith('#')) return !anchors.includes(link);
    if (/^[a-z]+:/.test(link)) return !URL.canParse(link) || !link.startsWith('https://');
    return !existsSync(join(ROOT, 'docs', link.split('#')[0] ?? ''));
  });
  expect(broken).toEqual([]);
});
