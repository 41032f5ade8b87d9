import * as fc from 'fast-check';
import { createRedactor } from '../../../src/protocol/redact';

/** Without `*`, which the replacement itself is made of. */
const secret = fc
  .oneof(
    fc.string({ minLength: 4, maxLength: 40, unit: 'binary' }),
    fc.string({
      minLength: 4,
      maxLength: 40,
      unit: fc.constantFrom('a', 'b', '"', '\\', '+', '/', '=', '%', ' ', 'é', '😀', '\n', '0'),
    }),
  )
  .filter((text) => text.trim().length >= 4 && !text.includes('*'));
const filler = fc.string({ maxLength: 20, unit: fc.constantFrom('x', ' ', ':', '{', '&', '.') });

const FORMS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(JSON.stringify({ text })),
  (text) => encodeURIComponent(Buffer.from(text).toString()),
  (text) => new URLSearchParams({ text }).toString(),
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('base64url'),
  (text) => JSON.stringify({ authorization: Buffer.from(text).toString('base64') }),
];

test('no form of any secret is left, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(filler, fc.nat(), fc.constantFrom(...FORMS)), { minLength: 1, maxLength: 6 }),
      (secrets, parts) => {
        const shown = parts.map(
          ([before, index, form]) => before + form(secrets[index % secrets.length] ?? ''),
        );
        const redacted = createRedactor(secrets)(shown.join(' '));
        for (const one of secrets) {
          for (const form of FORMS) expect(redacted).not.toContain(form(one));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('text outside of the secrets is left as it is', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(filler, fc.boolean())), (parts) => {
      const text = parts.map(([before, hasSecret]) => before + (hasSecret ? ' s3cretKEY ' : '')).join('');
      expect(createRedactor(['s3cretKEY'])(text)).toBe(text.replaceAll('s3cretKEY', '****'));
    }),
  );
});
