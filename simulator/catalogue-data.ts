import { DAY_MS, formatDay, localDay } from './hours';
import { mix } from './random';

/** An annotation as v3 answers it (reference: amplitude-api.md section 7). */
export interface Annotation {
  readonly id: number;
  readonly label: string;
  /** ISO 8601 with an offset. */
  readonly start: string;
  readonly end: string | null;
  readonly details: string | null;
  readonly category: { readonly id: number; readonly name: string } | null;
  readonly chart_id: string | null;
}

const CATEGORIES = [
  { id: 4, name: 'Releases' },
  { id: 9, name: 'Marketing “push”' },
] as const;

function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}

export function makeCategories(): readonly { id: number; name: string }[] {
  return CATEGORIES;
}

/** When a day (midnight in UTC terms) begins in a time zone. */
function midnightIn(timeZone: string, dayMs: number): number {
  const local = localDay(dayMs, timeZone);
  return dayMs - (local.dayMs + Math.round(local.passed * DAY_MS) - dayMs);
}

/** Every field is null once and set once. They begin at hours of the project's days: in Berlin at 22:00 or 23:00 UTC of the day before. */
export function makeAnnotations(startMs: number, timeZone: string): Annotation[] {
  const day = midnightIn(timeZone, Math.floor(startMs / DAY_MS) * DAY_MS);
  const [releases, marketing] = CATEGORIES;
  return [
    {
      id: 12,
      label: 'Release 3.0',
      start: stamp(day + 25_200_000),
      end: null,
      details: null,
      category: releases,
      chart_id: null,
    },
    {
      id: 15,
      label: 'Spring sale “−20 %”',
      start: stamp(day + DAY_MS),
      end: stamp(day + 3 * DAY_MS),
      details: 'E-mail to everybody\nand a banner',
      category: marketing,
      chart_id: null,
    },
    {
      id: 23,
      label: 'Outage',
      start: stamp(day + 2 * DAY_MS),
      end: null,
      details: '',
      category: null,
      chart_id: 'abc123xy',
    },
  ];
}

/** The same annotations as v2 answers them: a day of the project, no end, no category. */
export function toV2(annotation: Annotation, timeZone: string): Record<string, unknown> {
  const { id, label, details, start } = annotation;
  return { id, date: formatDay(localDay(Date.parse(start), timeZone).dayMs), label, details };
}

function cohort(index: number, startMs: number, changes: Record<string, unknown>): Record<string, unknown> {
  const seconds = Math.floor(startMs / 1000) + index * 3600;
  return {
    id: `c${index}h7x2q`,
    appId: 310_022,
    name: `Cohort ${index}`,
    description: '',
    definition: {
      version: 14,
      cohortType: 'UNIQUES',
      andClauses: [{ negated: false, orClauses: [{ type: 'event', value: 1.0, ids: [] }] }],
    },
    type: 'redshift',
    size: 1200 + index,
    owners: ['ana@example.com'],
    viewers: [],
    published: true,
    archived: false,
    finished: true,
    hidden: false,
    is_predictive: false,
    is_official_content: false,
    is_generated_content: false,
    lastMod: seconds,
    createdAt: seconds - 86_400,
    lastComputed: seconds + 60,
    last_viewed: null,
    metadata: null,
    popularity: null,
    view_count: null,
    chart_id: null,
    edit_id: null,
    location_id: null,
    shortcut_ids: [],
    include_data_app_types: ['app'],
    per_app_metadata: {},
    cohort_definition_type: 'events',
    cohort_output_type: 'users',
    ...changes,
  };
}

/** Discoverable cohorts (section 5.1): every documented field is set at least once, and every nullable one null at least once. */
export function makeCohorts(startMs: number, withSync: boolean): Record<string, unknown>[] {
  const seconds = Math.floor(startMs / 1000);
  const sync = [
    {
      target: 'Braze',
      frequency: 'hourly',
      last_successful: '2024-01-01T07:05:11.103244+00:00',
      last_failure: null,
      params: { audience: 'buyers' },
    },
    {
      target: 'Webhook',
      frequency: 'minute',
      last_successful: null,
      last_failure: '2024-01-02T00:00:00.000001+00:00',
      params: {},
    },
  ];
  const cohorts = [
    cohort(1, startMs, {
      name: 'Buyers “gold”',
      description: 'Bought twice',
      viewers: ['bo@example.com', 'cy@example.com'],
      last_viewed: seconds,
      metadata: ['funnel'],
      popularity: 3,
      view_count: 17,
      chart_id: 'k3jx9',
      edit_id: 'e-77',
      location_id: 'l-5',
      shortcut_ids: ['s-1'],
      is_official_content: true,
      ...(withSync ? { syncMetadata: sync } : {}),
    }),
    cohort(2, startMs, {
      type: 'predictive',
      is_predictive: true,
      lastComputed: null,
      finished: false,
      size: 0,
    }),
    // Old projects answered the project's number as a string.
    cohort(3, startMs, {
      archived: true,
      appId: '310022',
      is_generated_content: true,
      owners: [],
      definition: {},
    }),
  ];
  return withSync ? cohorts.map((one) => ({ syncMetadata: [], ...one })) : cohorts;
}

const EVENT_NAMES = [
  'Page Viewed',
  'Order Paid',
  'session_start',
  '[Amplitude] Element Clicked',
  'Video Watched',
] as const;

/** Items of events/list (section 4.4). Totals are of the week of `nowMs`: they change with the clock. */
export function makeEventsList(seed: number, nowMs: number): Record<string, unknown>[] {
  const week = formatDay(nowMs - ((Math.floor(nowMs / DAY_MS) + 3) % 7) * DAY_MS);
  return EVENT_NAMES.map((name, index) => ({
    id: 9_000_001 + index,
    name,
    value: name,
    display: index === 1 ? 'Order paid (all shops)' : name,
    totals: mix(seed, week, name) % 100_000,
    totals_delta: (mix(seed, week, name, 'delta') % 2000) - 1000,
    hidden: false,
    deleted: false,
    non_active: index === 4,
    flow_hidden: index === 2,
    autohidden: false,
    clusters_hidden: false,
    // Recorded both as a boolean and as a number.
    timeline_hidden: index === 2 ? 1 : false,
    in_waitroom: false,
    waitroom_approved: index === 3,
  }));
}
