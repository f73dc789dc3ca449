/** What keeps a consumer of the log from going on, for the readiness of the service. */
import type { ConsumerStats } from '@rampart/event-log';

/** A batch that failed once or twice may just have met a restart. */
const patientAttempts = 2;

/** @returns undefined when all is well */
export const consumerTrouble = ({ error, partitions }: ConsumerStats): string | undefined =>
  error ?? partitions.find(({ failing }) => (failing?.attempts ?? 0) > patientAttempts)?.failing?.error;
