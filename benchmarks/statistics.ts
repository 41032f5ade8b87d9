export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median of the ratios of two measurements of the same round: a load that comes and goes touches both. */
export function medianRatio(values: readonly number[], base: readonly number[]): number {
  const rounds = Math.min(values.length, base.length);
  return median(Array.from({ length: rounds }, (_, round) => values[round]! / base[round]!));
}
