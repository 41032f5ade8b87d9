import { USUAL_LINES, type LineLayout } from './archive';
import { DOCUMENTED_LIMITS, type CostLimits } from './cost-ledger';
import { PLAIN_ZIP, type ZipFlavour } from './zip-writer';

/** The ways in which dashboard, annotation and cohort answers were seen to differ. */
export interface AnswerQuirks {
  /**
   * Labels of grouped answers. `strings`: as recorded for /users. `pairs`: `[0,"Japan"]`, as recorded for segmentation. `ints`: segment
   * indexes only. `meta`: no labels, the values stand in seriesMeta, as the documentation shows.
   */
  readonly labels: 'strings' | 'pairs' | 'ints' | 'meta';
  /** Cells as numbers (recorded), as `{"setId":"","value":n}`, or turn by turn. */
  readonly cells: 'numbers' | 'objects' | 'mixed';
  /** `empty`: no series at all. `short` and `long`: one cell fewer or more than xValues. */
  readonly series: 'full' | 'empty' | 'short' | 'long';
  /** False: a project that never saw a country answers 400 to g=country. */
  readonly countryProperty: boolean;
  /** Days after today: 0 as recorded, or a 400. */
  readonly futureDays: 'zero' | 'error';
  /** Paths whose answer lacks its wrapper key (`data`, `cohorts`). */
  readonly noWrapper: readonly string[];
  /** False: /api/3/annotations answers 404. */
  readonly annotationsV3: boolean;
  /** Paths that the project's plan does not include: 403 with a text that does not blame the key. */
  readonly denied: readonly string[];
  /** No annotations, cohorts and event types, and empty series. */
  readonly emptyProject: boolean;
}

/** Whether a window of inclusive hours (epoch ms) is concerned. */
export type WindowRule = (startMs: number, endMs: number) => boolean;

/** Everything that may change while the simulator runs (`configure`). */
export interface Settings {
  readonly credentials: { readonly apiKey: string; readonly secretKey: string };
  /** IANA name: decides which day the dashboard endpoints call today. */
  readonly projectTimeZone: string;
  /** Requests in flight over all endpoints; one more is answered 429. Documented: 5. */
  readonly maxInFlight: number;
  readonly cost: CostLimits;
  /** Export requests allowed per so many ms; null for no limit (undocumented, but seen). */
  readonly exportRate: { readonly requests: number; readonly perMs: number } | null;
  /** Export windows answered 400 "too large": more hours or archive bytes than this, or as `when` says (inclusive hours, epoch ms). */
  readonly tooLarge: {
    readonly hours: number | null;
    readonly bytes: number | null;
    readonly when: WindowRule | null;
    readonly body: 'json' | 'text';
  };
  /** Export windows answered 504, after so long. */
  readonly gatewayTimeout: {
    readonly hours: number | null;
    readonly when: WindowRule | null;
    readonly afterMs: number;
  };
  /** Body of an export 404: the documented sentence, or the bare text that one client matches. */
  readonly emptyWindow: 'sentence' | 'bare';
  readonly zip: ZipFlavour;
  readonly lines: LineLayout;
  /** 1 to 9. Default 6, which gives the ratio of real archives (11 to 13). */
  readonly gzipLevel: number;
  readonly exportFraming: 'length' | 'chunked';
  /** Time before an answer starts. */
  readonly latencyMs: { readonly export: number; readonly others: number };
  readonly quirks: AnswerQuirks;
}

/** A partial change: nested groups are merged, other values replaced. */
export type SettingsPatch = {
  readonly [K in keyof Settings]?: Settings[K] extends string | number
    ? Settings[K]
    : K extends 'exportRate'
      ? Settings[K]
      : Partial<Settings[K]>;
};

export const DEFAULT_SETTINGS: Settings = {
  credentials: { apiKey: '0123456789abcdef0123456789abcdef', secretKey: 'fedcba9876543210fedcba9876543210' },
  projectTimeZone: 'UTC',
  maxInFlight: 5,
  cost: DOCUMENTED_LIMITS,
  exportRate: null,
  tooLarge: { hours: null, bytes: null, when: null, body: 'json' },
  gatewayTimeout: { hours: null, when: null, afterMs: 0 },
  emptyWindow: 'sentence',
  zip: PLAIN_ZIP,
  lines: USUAL_LINES,
  gzipLevel: 6,
  exportFraming: 'length',
  latencyMs: { export: 0, others: 0 },
  quirks: {
    labels: 'strings',
    cells: 'numbers',
    series: 'full',
    countryProperty: true,
    futureDays: 'zero',
    noWrapper: [],
    annotationsV3: true,
    denied: [],
    emptyProject: false,
  },
};

function merge(current: object, patch: object, where: string): Record<string, unknown> {
  const result: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(patch) as [string, unknown][]) {
    if (!(name in result)) throw new RangeError(`no such setting: ${where}${name}`);
    const old = result[name];
    const group = typeof old === 'object' && old !== null && !Array.isArray(old);
    if (value !== undefined)
      result[name] =
        group && typeof value === 'object' && value !== null ? merge(old, value, `${name}.`) : value;
  }
  return result;
}

/** The settings with a patch applied; throws a RangeError on a name that does not exist, so that a typing error is not a silent default. */
export function patchSettings(settings: Settings, patch: SettingsPatch): Settings {
  return merge(settings, patch, '') as unknown as Settings;
}
