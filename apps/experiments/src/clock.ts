/** The time of commands: microseconds since the epoch, strictly rising within the process whatever the system's clock does. */

let last = 0;

export const nowUs = (): number => {
  last = Math.max(last + 1, Date.now() * 1000);
  return last;
};
