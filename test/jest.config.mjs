// Jest runs what `tsc -b` emitted: no second compiler that could disagree with the first. Suffix = tier, see test/run.mjs.
import { resolve } from 'node:path';

const rootDir = resolve(import.meta.dirname, '..');
/** Journeys that need Kafka: the others run on either log. */
const kafkaJourneys = ['/raw-events\\.journey', '/logs-agree\\.journey', '/deployment\\.journey', '/chaos\\.journey'];

const tier = (displayName, testMatch, leftOut = []) => ({
  displayName,
  testMatch,
  rootDir,
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  testEnvironment: '<rootDir>/test/plain-globals.mjs',
  transform: {},
  testPathIgnorePatterns: ['/node_modules/', '/src/', ...leftOut],
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
    tier('journeys', ['<rootDir>/test/dist/journeys/*.journey-spec.js'], process.env.RAMPART_JOURNEY_LOG === 'kafka' ? [] : kafkaJourneys),
  ],
};
