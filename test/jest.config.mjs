// Jest runs what `tsc -b` emitted: no second compiler that could disagree with the first. Suffix = tier, see test/run.mjs.
import { resolve } from 'node:path';

const rootDir = resolve(import.meta.dirname, '..');
const tier = (displayName, testMatch) => ({
  displayName,
  testMatch,
  rootDir,
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  testEnvironment: 'node',
  transform: {},
  testPathIgnorePatterns: ['/node_modules/', '/src/'],
});

export default {
  rootDir,
  maxWorkers: 2,
  workerIdleMemoryLimit: '400MB',
  watchman: false,
  projects: [
    tier('pure', ['<rootDir>/**/dist/**/*.spec.js']),
    tier('int', ['<rootDir>/**/dist/**/*.int-spec.js']),
    tier('kafka', ['<rootDir>/**/dist/**/*.kafka-spec.js']),
    tier('journeys', ['<rootDir>/test/dist/journeys/*.journey-spec.js']),
  ],
};
