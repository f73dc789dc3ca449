/** A transformer of Jest's that changes one file as it is loaded: nothing on disk is touched, so that a run that is killed leaves no mistake behind. */
import { readFileSync } from 'node:fs';
import { bugs } from './bugs.mjs';

const bug = bugs.find(({ name }) => name === process.env.RAMPART_PLANTED_BUG);
if (bug === undefined) throw new Error(`RAMPART_PLANTED_BUG names no bug: ${process.env.RAMPART_PLANTED_BUG}`);

const process_ = (source, path) => ({ code: path.endsWith(`/${bug.file}`) ? source.replace(bug.text, () => bug.planted) : source });

export default {
  process: process_,
  processAsync: async (source, path) => process_(source, path),
  getCacheKey: (source, path) => `${bug.name} ${path} ${source.length} ${readFileSync(path).length}`,
};
