/** The pure tier, through the transformer that plants a bug. */
import { join } from 'node:path';
import config from '../jest.config.mjs';

const [pure] = config.projects;

export default {
  rootDir: config.rootDir,
  watchman: false,
  cache: false,
  projects: [{ ...pure, transform: { '/(libs|apps|test)/.*\\.js$': join(import.meta.dirname, 'transform.mjs') } }],
};
