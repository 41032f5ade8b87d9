/** `TEST_HARDER=1` runs the suites in their full size. */
export const HARDER = process.env['TEST_HARDER'] === '1';

export function sized<Value>(small: Value, full: Value): Value {
  return HARDER ? full : small;
}
