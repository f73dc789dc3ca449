/** A PostgreSQL that takes encrypted connections only, and whatever a client must not take for it. */
import { type FreshDatabase, freshDatabase } from './fresh-database.js';
import { type OwnCertificates, ownCertificates } from './own-certificates.js';
import { type OwnPostgres, ownPostgres } from './own-postgres.js';

export interface SecuredPostgres {
  /** For whoever believes the server's authority. */
  readonly url: string;
  /** By what somebody does, an address that he is to be refused at. */
  readonly refused: Readonly<Record<RefusedClient, string>>;
  remove(): Promise<void>;
}

/** What somebody does who is to be refused, and the reason that he is told. */
export const refusedClients = [
  ['speaks without encryption', /no encryption/],
  ['believes another authority', /certificate/],
  ['believes only what the system trusts', /certificate/],
  ['meets a server of another name', /altnames/],
  ['meets a server without encryption', /does not support SSL/],
] as const;

export type RefusedClient = (typeof refusedClients)[number][0];

const believing = (url: string, { ca }: OwnCertificates) => `${url}${url.includes('?') ? '&' : '?'}sslmode=verify-full&sslrootcert=${ca}`;

export const securedPostgres = async (): Promise<SecuredPostgres> => {
  const [certificates, strangers] = [ownCertificates(), ownCertificates()];
  // Of a server at an address nothing but that address may be believed, though many clients fall back to this name.
  const onlyLocalhost = ownCertificates({ names: 'DNS:localhost' });
  let unencrypted: FreshDatabase | undefined;
  const servers: OwnPostgres[] = [];
  const remove = async () => {
    await Promise.all([unencrypted?.drop(), ...servers.map((server) => server.remove())]);
    for (const one of [certificates, strangers, onlyLocalhost]) one.remove();
  };
  const started = async (tls: OwnCertificates) => {
    const server = await ownPostgres({ tls });
    servers.push(server);
    return server.url;
  };
  try {
    unencrypted = await freshDatabase();
    const url = await started(certificates);
    const misnamed = await started(onlyLocalhost);
    return {
      url: believing(url, certificates),
      refused: {
        'speaks without encryption': url,
        'believes another authority': believing(url, strangers),
        'believes only what the system trusts': `${url}?sslmode=verify-full`,
        'meets a server of another name': believing(misnamed, onlyLocalhost),
        'meets a server without encryption': believing(unencrypted.url, certificates),
      },
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
};
