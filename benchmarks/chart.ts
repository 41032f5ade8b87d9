import { READ } from './contestants';
import { gigabytes } from './report';
import { walls, type Results, type SizeResults } from './results';
import { median } from './statistics';

const WIDTH = 760;
const LABEL_WIDTH = 190;
const VALUE_WIDTH = 150;
const BAR_HEIGHT = 26;
const ROW_HEIGHT = 38;
const TOP = 72;

interface Bar {
  readonly label: string;
  readonly megabytesPerSecond: number;
  readonly recordsPerSecond: number;
  readonly isOurs: boolean;
}

/**
 * A bar chart of inflated text per second, SVG: each contestant at the middle size, or at the smallest when it was measured
 * there only. The server alone is left out, because it is no contestant.
 */
export function drawComparison({ sizes, date }: Results): string {
  const main = sizes[Math.floor((sizes.length - 1) / 2)]!;
  const smallest = sizes[0]!;
  const bars = [...barsOf(main), ...barsOf(smallest)].filter(
    (bar, index, all) => all.findIndex(({ label }) => label === bar.label) === index,
  );
  bars.sort((a, b) => b.megabytesPerSecond - a.megabytesPerSecond);
  const fastest = Math.max(...bars.map(({ megabytesPerSecond }) => megabytesPerSecond));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / fastest;
  const height = TOP + bars.length * ROW_HEIGHT + 20;
  const onlySmall = barsOf(smallest).filter(({ label }) => !barsOf(main).some((bar) => bar.label === label));
  const note =
    onlySmall.length > 0 && main !== smallest
      ? `; ${gigabytes(smallest.day.rawBytes)} for those not measured there`
      : '';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img"`,
    `  aria-label="Inflated text read per second, by program" font-family="system-ui, sans-serif" font-size="14">`,
    `  <rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    `  <text x="20" y="30" font-size="17" font-weight="600" fill="#1f2328">One day of events: inflated text read per second</text>`,
    `  <text x="20" y="52" font-size="12" fill="#59636e">A day of ${gigabytes(main.day.rawBytes)}${note}. More is better. Measured on ${date.toISOString().slice(0, 10)}.</text>`,
    ...bars.flatMap((bar, index) => drawBar(bar, TOP + index * ROW_HEIGHT, scale)),
    '</svg>',
    '',
  ].join('\n');
}

function barsOf({ day, contestants }: SizeResults): Bar[] {
  return contestants
    .filter(({ contestant }) => contestant.name !== 'server only')
    .map((entry) => {
      const wall = median(walls(entry));
      return {
        label: entry.contestant.name,
        megabytesPerSecond: day.rawBytes / 1e6 / wall,
        recordsPerSecond: day.records / wall,
        isOurs: entry.contestant.name === READ,
      };
    });
}

function drawBar(
  { label, megabytesPerSecond, recordsPerSecond, isOurs }: Bar,
  y: number,
  scale: number,
): string[] {
  const width = Math.max(2, megabytesPerSecond * scale);
  const middle = y + BAR_HEIGHT / 2 + 5;
  const weight = isOurs ? ' font-weight="600"' : '';
  const figures = `${megabytesPerSecond.toFixed(0)} MB/s, ${(recordsPerSecond / 1000).toFixed(0)}k records/s`;
  return [
    `  <text x="${LABEL_WIDTH - 10}" y="${middle}" text-anchor="end" fill="#1f2328"${weight}>${label}</text>`,
    `  <rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="3" fill="${isOurs ? '#1f6feb' : '#afb8c1'}"/>`,
    `  <text x="${(LABEL_WIDTH + width + 8).toFixed(1)}" y="${middle}" font-size="12" fill="#59636e">${figures}</text>`,
  ];
}
