/** The parts of kafkajs that its own types leave out. `kafka-cluster` says what they take and give. */
declare module 'kafkajs/src/cluster/index.js' {
  const Cluster: new (options: object) => unknown;
  // biome-ignore lint/style/noDefaultExport: this is how a CommonJS module looks from ESM
  export default Cluster;
}

declare module 'kafkajs/src/network/socketFactory.js' {
  const socketFactory: () => unknown;
  // biome-ignore lint/style/noDefaultExport: this is how a CommonJS module looks from ESM
  export default socketFactory;
}
