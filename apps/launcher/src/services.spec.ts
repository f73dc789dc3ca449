import { describe, expect, it } from '@jest/globals';
import { listeningPort } from './services.js';

describe('where a service listens', () => {
  it('is read from its own line, whatever else that says', () => {
    expect(listeningPort('{"time":"2026-01-01T00:00:00Z","level":"info","msg":"listening","port":4711}')).toBe(4711);
  });

  it('is not guessed from other lines', () => {
    expect(listeningPort('{"msg":"ready","port":4711}')).toBeUndefined();
    expect(listeningPort('"listening" {')).toBeUndefined();
  });
});
