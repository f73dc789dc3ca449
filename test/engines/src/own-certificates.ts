/** Certificates of a test's own, made by openssl: an authority, and a server that it signed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface OwnCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Key and certificate in one file. */
  readonly both: string;
  remove(): void;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/**
 * Throws a sentence that says what is missing when there is no openssl.
 * @param names  whose the server's certificate is, as openssl writes it
 */
export const ownCertificates = ({ names: owners = 'IP:127.0.0.1,DNS:localhost' }: { readonly names?: string } = {}): OwnCertificates => {
  const folder = mkdtempSync(join(tmpdir(), 'rampart-own-certificates-'));
  const path = (name: string) => join(folder, name);
  const [ca, caKey, cert, key, request, names] = ['ca.pem', 'ca.key', 'cert.pem', 'key.pem', 'request.pem', 'names.cnf'].map(path) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  openssl(['req', '-x509', ...NEW_KEY, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', '/CN=an authority of this test']);
  openssl(['req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', '/CN=localhost']);
  writeFileSync(names, `subjectAltName=${owners}\n`);
  openssl(['x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-out', cert, '-days', '2', '-extfile', names]);
  const both = path('both.pem');
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
  return { ca, cert, key, both, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

const openssl = (args: readonly string[]): void => {
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`This test makes certificates with openssl, which is not there (${error.message}): apt-get install openssl.`);
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr}`);
};
