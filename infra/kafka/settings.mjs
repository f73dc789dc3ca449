/** A broker's server.properties: KRaft, every node broker and controller at once, small enough to run beside everything else. */

/** @typedef {{ id: number, port: number, controllerPort: number, seen?: { port: number, through: number } }} Node  seen: for tests, a listener for clients alone, and the port at which they find it */

/**
 * What clients meet where connections are secured: TLS, and a name with a password (PLAIN or SCRAM). The controllers' own listener stays plain on 127.0.0.1.
 * @typedef {{ keystore: string, truststore: string, username: string, password: string, wantsCertificate?: boolean }} Security
 *   keystore: PEM file with key and certificate; truststore: PEM file; wantsCertificate: of whoever connects, signed by an authority of the truststore
 */

/** @param {Node} node @param {Security} security */
export const securedProperties = ({ port, controllerPort }, { keystore, truststore, username, password, wantsCertificate = false }) => ({
  listeners: `SASL_SSL://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  'advertised.listeners': `SASL_SSL://127.0.0.1:${port}`,
  'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'SASL_SSL',
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': keystore,
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': truststore,
  // Without the listener's name brokers take no notice of it where there are passwords.
  'listener.name.sasl_ssl.ssl.client.auth': wantsCertificate ? 'required' : 'none',
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
  'sasl.mechanism.inter.broker.protocol': 'PLAIN',
  'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="${username}" password="${password}" user_${username}="${password}";`,
  'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
});

/** Clients come another way than brokers do. @param {Node} node @param {{ port: number, through: number }} seen */
const seenThrough = ({ port, controllerPort }, seen) => ({
  listeners: `CLIENT://127.0.0.1:${seen.port},PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  'advertised.listeners': `CLIENT://127.0.0.1:${seen.through},PLAINTEXT://127.0.0.1:${port}`,
  'listener.security.protocol.map': 'CLIENT:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
});

/** @param {readonly Node[]} nodes @param {Node} node @param {string} data @param {Readonly<Record<string, string>>} changes */
export const serverProperties = (nodes, node, data, changes = {}) => {
  const replicas = Math.min(3, nodes.length);
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${node.port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    'default.replication.factor': replicas,
    'min.insync.replicas': replicas === 3 ? 2 : 1,
    'unclean.leader.election.enable': false,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    // The default forgets the offsets of a group that was away for a week, and it would start over in silence.
    'offsets.retention.minutes': 10 * 365 * 24 * 60,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    // What a group writes while too few brokers live waits so long for nothing, and its members with it: 5 s by default, also when the others are back at once.
    'offsets.commit.timeout.ms': 1_500,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'auto.create.topics.enable': false,
    'log.segment.bytes': 16 * 2 ** 20,
    'log.cleaner.dedupe.buffer.size': 2 * 2 ** 20,
    // A controller that is done with shutting down waits for the others otherwise.
    'controlled.shutdown.max.retries': 1,
    'num.network.threads': 2,
    'num.io.threads': 2,
    // Else a broker that was killed may not come back before 13–16 s: its old registration is still alive.
    'broker.heartbeat.interval.ms': 200,
    'broker.session.timeout.ms': 1000,
    ...(node.seen === undefined ? {} : seenThrough(node, node.seen)),
    ...changes,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
};
