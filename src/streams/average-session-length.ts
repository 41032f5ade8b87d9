import { sliceDays } from '../time/days';
import { parseDailyState, readDaily, type DailyMetric } from './daily';
import type { Stream } from './stream';

const NAME = 'average_session_length';
/** Session metrics cost four a day. */
const COST_PER_DAY = 4;
const SLICE_DAYS = 15;

const metric: DailyMetric = {
  name: NAME,
  slices: (range) => sliceDays(range, SLICE_DAYS),
  fetch: ({ api }, { start, end, days }) =>
    api.getJson({ path: '/api/2/sessions/average', params: { start, end }, cost: days * COST_PER_DAY }),
  // One series: without a segment there is one line on Amplitude's chart.
  toRecord: (date, row) => ({ date, length: Object.values(row.values)[0] ?? null }),
};

export const averageSessionLength: Stream = {
  name: NAME,
  primaryKey: ['date'],
  cursorField: 'date',
  parseState: (state) => parseDailyState(NAME, state),
  read: (context, state) => readDaily(metric, context, state),
};
