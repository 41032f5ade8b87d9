import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFixtures } from '../../integration_tests/write-fixtures';

describe('the acceptance inputs in integration_tests/', () => {
  let fixtures: ReadonlyMap<string, string>;
  beforeAll(async () => {
    fixtures = await makeFixtures();
  });

  test.each([
    'sample_config.json',
    'invalid_config.json',
    'configured_catalog.json',
    'configured_catalog_incremental.json',
    'sample_state.json',
    'abnormal_state.json',
    'expected_records.jsonl',
  ])('%s is what `npm run fixtures` writes now', (name) => {
    const stored = readFileSync(join(__dirname, '..', '..', 'integration_tests', name), 'utf8');
    const current = fixtures.get(name) ?? '';
    // The formatter lays out JSON files in its own way; in lines of records every character counts.
    if (name.endsWith('.json')) expect(JSON.parse(stored)).toEqual(JSON.parse(current));
    else expect(stored).toBe(current);
  });

  test('no other file is made', () => {
    expect(fixtures.size).toBe(7);
  });
});
