/** Which log a service uses: Kafka where its brokers are named, PostgreSQL otherwise. Nothing else depends on it. */
import { z } from 'zod';

/** A name or an address (IPv6 in brackets), and a port. */
const BROKER = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):(\d{1,5})$/;

const wrongBrokers = (text: string): readonly string[] =>
  text
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => !(Number(BROKER.exec(broker)?.[1] ?? 0) >= 1 && Number(BROKER.exec(broker)?.[1]) <= 65_535));

export const kafkaBrokers = z
  .string()
  .superRefine((text, context) => {
    const wrong = wrongBrokers(text);
    if (wrong.length === 0) return;
    const message = `must be host:port, several separated by commas; got ${wrong.map((one) => JSON.stringify(one)).join(', ')}`;
    context.addIssue({ code: 'custom', message });
  })
  .optional()
  .describe('Kafka brokers to ask first, host:port,host:port; without them the log is in PostgreSQL');

/** For a service that needs the log and no database of its own; with `needsLog` around it. */
export const logConfig = {
  RAMPART_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be postgres://…')
    .optional()
    .describe('where the log is, unless KAFKA_BROKERS says so'),
  KAFKA_BROKERS: kafkaBrokers,
};

interface LogChoice {
  readonly RAMPART_DATABASE_URL?: string | undefined;
  readonly KAFKA_BROKERS?: string | undefined;
}

const namesLog = ({ RAMPART_DATABASE_URL, KAFKA_BROKERS }: LogChoice): boolean =>
  RAMPART_DATABASE_URL !== undefined || KAFKA_BROKERS !== undefined;

/** Said beside whatever else is wrong: one message names all of it. */
const missingLog = {
  path: ['RAMPART_DATABASE_URL'],
  message: 'is missing: it says where the log is, unless KAFKA_BROKERS does',
  when: () => true,
};

/** @returns the same configuration, in which one of both must be given */
export const needsLog = <Schema extends z.ZodType<LogChoice>>(schema: Schema): Schema => schema.refine(namesLog, missingLog);
