import { ConnectorFailure } from '../failure';
import { sliceMonths } from '../time/days';
import { type DailyQuery, parseDailyState, readDaily } from './daily';
import type { ReadContext, Stream } from './stream';

/** A group-by counts as four more conditions in Amplitude's cost formula. */
const GROUP_BY_COST = 4;

/** A stream of daily user counts, by country where the project has it: `active` users, or `new` ones. */
export function userCounts(name: string, metric: 'active' | 'new'): Stream {
  return {
    name,
    primaryKey: ['date'],
    cursorField: 'date',
    parseState: (state) => parseDailyState(name, state),
    read(context, state) {
      let grouped = context.settings.groupByCountry;
      return readDaily(
        {
          name,
          slices: sliceMonths,
          async fetch(_context, query) {
            if (grouped) {
              try {
                return await fetchCounts(context, metric, query, true);
              } catch (error) {
                if (!lacksCountry(error)) throw error;
                grouped = false;
                context.host.log.warn(
                  `This project has no country property; users are counted without countries. ` +
                    'Set active_users_group_by_country to false to say so.',
                );
              }
            }
            return fetchCounts(context, metric, query, false);
          },
          toRecord: (date, row) => ({ date, statistics: row.values }),
        },
        context,
        state,
      );
    },
  };
}

function fetchCounts(
  { api }: ReadContext,
  metric: string,
  query: DailyQuery,
  grouped: boolean,
): Promise<unknown> {
  const { start, end, days } = query;
  return api.getJson({
    path: '/api/2/users',
    params: { start, end, m: metric, i: '1', ...(grouped ? { g: 'country' } : {}) },
    cost: days * (grouped ? 1 + GROUP_BY_COST : 1),
  });
}

/** Projects that never saw a country answer 400 "Invalid user property country". */
function lacksCountry(error: unknown): boolean {
  if (!(error instanceof ConnectorFailure) || error.status !== 400) return false;
  return /user property.*country/i.test(error.words ?? '');
}
