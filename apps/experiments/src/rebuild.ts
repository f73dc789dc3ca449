/** `node dist/rebuild.js [catalogue] [definitions] [decisions] [decisions.v1] [audit]`: rebuilds beside a running service or without one, and prints what was done. */
import 'reflect-metadata';
import { readConfig } from '@rampart/service-kit';
import { AuditLog } from './audit/audit-log.store.js';
import { Catalogue } from './catalogue/catalogue.store.js';
import { DecisionRecords } from './decisions/decision-records.store.js';
import { storesConfig } from './experiments-config.js';
import { DecisionsPublisher } from './publishing/decisions.publisher.js';
import { DefinitionsPublisher } from './publishing/definitions.publisher.js';
import { REBUILDABLE, Rebuilder } from './rebuilder.js';
import { closeStores, openStores } from './stores.module.js';

const asked = process.argv.slice(2);
const names = asked.length === 0 ? REBUILDABLE : REBUILDABLE.filter((name) => asked.includes(name));
if (asked.length > 0 && asked.length !== names.length) {
  process.stderr.write(`rebuild knows ${REBUILDABLE.join(' and ')}, got: ${asked.join(' ')}\n`);
  process.exit(2);
}
const stores = await openStores(readConfig(storesConfig, process.env));
const { store, dataSource, log } = stores;
const rebuilder = new Rebuilder(store, {
  catalogue: new Catalogue(store, dataSource),
  definitions: new DefinitionsPublisher(store, log),
  decisions: new DecisionRecords(store, dataSource),
  'decisions.v1': new DecisionsPublisher(store, log),
  audit: new AuditLog(store, dataSource),
});
const rebuilt = await rebuilder.run(names);
await closeStores(stores);
process.stdout.write(`${JSON.stringify({ rebuilt })}\n`);
