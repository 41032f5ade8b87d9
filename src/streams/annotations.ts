import { ConnectorFailure } from '../failure';
import { dayIn, formatDay } from '../time/days';
import { parseDateTime } from '../time/instant';
import { listUnder } from './json-shape';
import type { ReadContext, Stream } from './stream';

const V3 = '/api/3/annotations';
const V2 = '/api/2/annotations';

export const annotations: Stream = {
  name: 'annotations',
  primaryKey: ['id'],
  async *read(context) {
    const records = await fetchAnnotations(context);
    yield {
      kind: 'records',
      records: records.map((record) => withDate(record, context.settings.projectTimeZone)),
    };
  },
};

async function fetchAnnotations({ api, host }: ReadContext): Promise<object[]> {
  try {
    return listUnder(await api.getJson({ path: V3 }), 'data', V3);
  } catch (error) {
    if (!(error instanceof ConnectorFailure) || error.status !== 404) throw error;
    host.log.info(`${V3} is not there, reading ${V2}, which has fewer fields.`);
    return listUnder(await api.getJson({ path: V2 }), 'data', V2);
  }
}

/** v2 has `date`; v3 has `start`, of which it is the day in the project's time zone. */
function withDate(record: object, timeZone: string): object {
  const { start, date, category } = record as { start?: unknown; date?: unknown; category?: unknown };
  const startMs = typeof start === 'string' ? parseDateTime(start) : undefined;
  const derived = startMs === undefined ? null : formatDay(dayIn(timeZone, startMs));
  return { ...record, ...nameCategory(category), date: date ?? derived };
}

/** Amplitude's own examples call the name of a category now `name`, now `category`. */
function nameCategory(category: unknown): object {
  if (typeof category !== 'object' || category === null) return {};
  const { name, category: otherName } = category as { name?: unknown; category?: unknown };
  return { category: { ...category, name: name ?? otherName ?? null } };
}
