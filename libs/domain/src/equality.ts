/** When two documents say the same: absent and undefined are one, the order of fields does not matter, the order of lists does. */

export const isEqual = (left: unknown, right: unknown): boolean => {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [a, b] = [left as Fields, right as Fields];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((field) => isEqual(a[field], b[field]));
};

type Fields = Readonly<Record<string, unknown>>;
