import { describe, expect, it } from '@jest/globals';
import { mayEnter, userFrom } from './postgres-place.js';

const nobody = { name: 'nobody', uid: 65534, gid: 65534 };

describe('whom root lends PostgreSQL to', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';

  it('is found by name and by id', () => {
    expect(userFrom(passwd, 'nobody')).toEqual(nobody);
    expect(userFrom(passwd, 65534)).toEqual(nobody);
    expect(userFrom(passwd, 'postgres')).toBeUndefined();
  });

  it('enters a folder by the bits of its class only, as the system decides it', () => {
    expect(mayEnter(nobody, { uid: 0, gid: 0, mode: 0o711 })).toBe(true);
    expect(mayEnter(nobody, { uid: 0, gid: 0, mode: 0o700 })).toBe(false);
    expect(mayEnter(nobody, { uid: 65534, gid: 0, mode: 0o011 })).toBe(false);
    expect(mayEnter(nobody, { uid: 0, gid: 65534, mode: 0o701 })).toBe(false);
  });
});
