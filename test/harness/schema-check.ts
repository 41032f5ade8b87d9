import { Ajv, type ValidateFunction } from 'ajv';
import type { AirbyteOutput } from './airbyte-output';
import { recordLines } from './event-comparison';
import { dataOf } from './expected-event';
import { toStrictPlain } from './lossless-json';

/** Airbyte's acceptance tests take any date-time of this form that can also be parsed. */
const LENIENT_DATE_TIME = /^\d{4}-\d?\d-\d?\d(\s|T)\d?\d:\d?\d:\d?\d(.\d+)?.*$/;

/** A Draft-07 validator with the formats as Airbyte's acceptance tests judge them. */
export function compileSchema(schema: object): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addFormat('date-time', (text) => LENIENT_DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)));
  ajv.addFormat('date', (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text));
  return ajv.compile(schema);
}

function isDay(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** What a stream's schema has against its records, with strict integers: `1.0` is none. */
export function findSchemaErrors(output: AirbyteOutput, stream: string, schema: object): string[] {
  const validate = compileSchema(schema);
  return recordLines(output, stream).flatMap((line, index) => {
    if (validate(toStrictPlain(dataOf(line)))) return [];
    const errors = (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath} ${message ?? ''}`,
    );
    return [`${stream} record ${String(index)}: ${errors.join('; ')}`];
  });
}
