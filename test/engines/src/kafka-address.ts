/** The Kafka that the test runner started, for suites that share it: topics and groups keep them apart. */
export const kafkaAddress = (): string => {
  const brokers = process.env.RAMPART_TEST_KAFKA;
  if (brokers === undefined || brokers === '') {
    throw new Error(
      'This test needs Kafka: `node infra/kafka/start.mjs` starts one (Java 17 and Maven), or set RAMPART_TEST_KAFKA to the bootstrap list of yours.',
    );
  }
  return brokers;
};
