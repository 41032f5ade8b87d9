import { ConnectorFailure } from '../failure';
import { dayIn, formatDay } from '../time/days';
import { parseDateTime } from '../time/instant';
import { listUnder } from './json-shape';
import type { ReadContext, Stream } from './stream';

const V3 = '/api/3/annotations';
const V2 = '/api/2/annotations';

/** What the stream looks at; the other fields pass as they are. */
interface Annotation {
  readonly id?: unknown;
  readonly date?: unknown;
  readonly start?: unknown;
  readonly category?: unknown;
}

export const annotations: Stream = {
  name: 'annotations',
  primaryKey: ['id'],
  async *read(context) {
    const records = await fetchAnnotations(context);
    const dates = await fetchDates(context, records);
    const { projectTimeZone } = context.settings;
    yield { kind: 'records', records: records.map((record) => complete(record, dates, projectTimeZone)) };
  },
};

async function fetchAnnotations({ api, host }: ReadContext): Promise<readonly Annotation[]> {
  try {
    return listUnder(await api.getJson({ path: V3 }), 'data', V3);
  } catch (error) {
    if (!(error instanceof ConnectorFailure) || error.status !== 404) throw error;
    host.log.info(`${V3} is not there, reading ${V2}, which has fewer fields.`);
    return listUnder(await api.getJson({ path: V2 }), 'data', V2);
  }
}

/**
 * The dates that v3 lacks, by id. v2 gives the day in the project's own time zone, which no endpoint tells: midnight in Berlin
 * is 22:00 of the day before in UTC. The request has no cost.
 */
async function fetchDates(
  { api, host }: ReadContext,
  records: readonly Annotation[],
): Promise<ReadonlyMap<string, unknown>> {
  const areKnown = records.every(({ date }) => typeof date === 'string');
  if (areKnown || host.unselectedFields.has('date')) return new Map();
  try {
    const dated: readonly Annotation[] = listUnder(await api.getJson({ path: V2 }), 'data', V2);
    return new Map(dated.map(({ id, date }) => [String(id), date]));
  } catch (error) {
    // v3 took the same keys: a refusal only means that this project has v2 no more.
    if (!(error instanceof ConnectorFailure) || error.kind !== 'config') throw error;
    host.log.info(
      `${V2} is refused (HTTP ${error.status}): the date of an annotation is the day of its start in project_timezone.`,
    );
    return new Map();
  }
}

function complete(record: Annotation, dates: ReadonlyMap<string, unknown>, timeZone: string): object {
  const { id, start, date, category } = record;
  const startMs = typeof start === 'string' ? parseDateTime(start) : undefined;
  const derived = startMs === undefined ? null : formatDay(dayIn(timeZone, startMs));
  return { ...record, ...nameCategory(category), date: date ?? dates.get(String(id)) ?? derived };
}

/** Amplitude's own examples call the name of a category now `name`, now `category`. */
function nameCategory(category: unknown): object {
  if (typeof category !== 'object' || category === null) return {};
  const { name, category: otherName } = category as { name?: unknown; category?: unknown };
  return { category: { ...category, name: name ?? otherName ?? null } };
}
