/** What clients saw, and what must hold of it: pure, so that the judge itself is tested. */

/** One request of a client; times on one clock, in milliseconds. */
export interface Operation {
  readonly kind: 'write' | 'read';
  /** What was written (1, 2, 3 …, by one writer, one after another), or what was read; 0 before the first write. */
  readonly value: number;
  readonly begunMs: number;
  readonly endedMs: number;
  /** Unknown: no answer, or one that does not say whether it happened. */
  readonly outcome: 'acknowledged' | 'unknown';
}

/** A register that several processes serve: no read is older than what was acknowledged before it, none sees what nobody wrote. */
export const registerViolations = (operations: readonly Operation[]): readonly string[] => {
  const writes = operations.filter(({ kind }) => kind === 'write');
  const reads = operations.filter(({ kind, outcome }) => kind === 'read' && outcome === 'acknowledged');
  const most = (values: readonly number[]) => Math.max(0, ...values);
  return reads.flatMap((read) => {
    const least = most([
      ...writes.filter(({ outcome, endedMs }) => outcome === 'acknowledged' && endedMs < read.begunMs).map(({ value }) => value),
      ...reads.filter(({ endedMs }) => endedMs < read.begunMs).map(({ value }) => value),
    ]);
    const last = most(writes.filter(({ begunMs }) => begunMs < read.endedMs).map(({ value }) => value));
    if (read.value < least) return [`a read saw ${read.value} after ${least} had been acknowledged or seen`];
    if (read.value > last) return [`a read saw ${read.value} when ${last} was the last that had been sent`];
    return [];
  });
};

/** @param kept  what the history of the register says was written, in its order */
export const keptViolations = (operations: readonly Operation[], kept: readonly number[]): readonly string[] => {
  const writes = operations.filter(({ kind }) => kind === 'write');
  const times = (value: number) => kept.filter((one) => one === value).length;
  return [
    ...writes
      .filter(({ outcome, value }) => outcome === 'acknowledged' && times(value) !== 1)
      .map(({ value }) => `the acknowledged write ${value} is in the history ${times(value)} times`),
    ...writes
      .filter(({ outcome, value }) => outcome === 'unknown' && times(value) > 1)
      .map(({ value }) => `the write ${value} is in the history ${times(value)} times`),
    ...kept.filter((value) => !writes.some((write) => write.value === value)).map((value) => `nobody wrote ${value}`),
    ...kept.flatMap((value, at) => (value <= (kept[at - 1] ?? 0) ? [`${value} comes after ${kept[at - 1]} in the history`] : [])),
  ];
};

/**
 * Of ids, or of whatever tells one event from another.
 * @param excused  so many may be missing, since their loss was said
 */
export const storedViolations = (
  acknowledged: ReadonlySet<string>,
  offered: ReadonlySet<string>,
  stored: ReadonlySet<string>,
  excused = 0,
): readonly string[] => {
  const missing = [...acknowledged].filter((id) => !stored.has(id));
  const invented = [...stored].filter((id) => !offered.has(id));
  return [
    ...(missing.length > excused ? [`${missing.length} of ${acknowledged.size} acknowledged are not stored, ${missing[0]} for one`] : []),
    ...(invented.length > 0 ? [`${invented.length} are stored that nobody sent, ${invented[0]} for one`] : []),
  ];
};

/** Each action of a rollout once, and records in one chain. */
export const actionViolations = (
  history: readonly { readonly type: string; readonly record: string | null }[],
  records: readonly { readonly id: string; readonly previous: string | null }[],
): readonly string[] => {
  const twice = <T>(all: readonly T[]) => [...new Set(all.filter((one, at) => all.indexOf(one) !== at))];
  const ends = history.filter(({ type }) => type === 'RolloutRolledBack' || type === 'RolloutReleased');
  const acted = history.flatMap(({ type, record }) => (record === null ? [] : [`${type} by ${record}`]));
  return [
    ...(ends.length > 1 ? [`a rollout ended ${ends.length} times`] : []),
    ...twice(acted).map((action) => `twice: ${action}`),
    ...twice(records.map(({ previous }) => previous)).map((previous) => `two records follow ${previous ?? 'nothing'}`),
  ];
};
