import { asObject, unexpectedShape } from './json-shape';

/** One day of a dashboard answer: a value per label. */
export interface MatrixRow {
  /** As Amplitude writes it, normally `2026-10-01`. */
  readonly x: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Matrix {
  /** Only the days for which every series has a value: a row that lacks some would look like a whole one. */
  readonly rows: readonly MatrixRow[];
  /** False: there is nothing to count in these days, which is an answer too. */
  readonly hasSeries: boolean;
  /** What a reader of the log should know: groups cut off, values without a day. */
  readonly warnings: readonly string[];
  /** The last bucket may still change although its day is over. */
  readonly lastIncomplete: boolean;
}

/**
 * Decodes xValues × series × labels. Amplitude's cells are numbers or `{setId, value}`, its labels numbers, strings or
 * `[segment, label]`, in `seriesLabels` or in `seriesMeta`; series may be empty or uneven.
 */
export function decodeMatrix(answer: unknown, where: string): Matrix {
  const envelope = asObject(answer, where);
  const data = asObject(envelope['data'], `"data" in ${where}`);
  const { xValues, series } = data;
  if (!Array.isArray(xValues)) throw unexpectedShape(where, 'a list under "xValues"');
  if (!Array.isArray(series)) throw unexpectedShape(where, 'a list under "series"');
  const warnings: string[] = [];
  const labels = readLabels(data, series.length);
  const rows = xValues.map((x) => ({ x: String(x), values: Object.create(null) as Record<string, unknown> }));
  let whole = series.length === 0 ? 0 : rows.length;
  series.forEach((cells: unknown, index) => {
    if (!Array.isArray(cells)) throw unexpectedShape(where, 'a list of lists under "series"');
    if (cells.length > rows.length)
      warnings.push(`${where}: a series has ${cells.length} values for ${rows.length} days.`);
    whole = Math.min(whole, cells.length);
    rows.slice(0, whole).forEach((row, at) => {
      row.values[labels[index]!] = readCell(cells[at]);
    });
  });
  if (envelope['prunedResult'] === true || envelope['hitChunkGroupByLimit'] === true) {
    warnings.push(`${where}: Amplitude left out some groups of this answer.`);
  }
  const lastIncomplete =
    envelope['realtimeDataMissing'] === true || envelope['timedOutRealtimeData'] === true;
  return { rows: rows.slice(0, whole), hasSeries: series.length > 0, warnings, lastIncomplete };
}

function readCell(cell: unknown): unknown {
  return typeof cell === 'object' && cell !== null && 'value' in cell ? cell.value : cell;
}

function readLabels(data: Record<string, unknown>, count: number): string[] {
  const listed = Array.isArray(data['seriesLabels']) ? (data['seriesLabels'] as unknown[]) : [];
  const meta = Array.isArray(data['seriesMeta']) ? (data['seriesMeta'] as unknown[]) : [];
  const labels: string[] = [];
  const taken = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    let label = readLabel(listed[index], meta[index], index);
    // Two series must not overwrite each other, whatever their labels are.
    while (taken.has(label)) label = `${label} (${index})`;
    taken.add(label);
    labels.push(label);
  }
  return labels;
}

function readLabel(listed: unknown, meta: unknown, index: number): string {
  if (Array.isArray(listed)) return String(listed.at(-1) ?? index);
  if (typeof listed === 'string') return listed;
  // Plain numbers are segment indexes; the docs then show the names in seriesMeta.
  if (typeof meta === 'string') return meta;
  return String(listed ?? index);
}
