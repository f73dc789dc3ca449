/** Whether a backup can be restored where somebody wants it: pure. */
import { DECISIONS } from '@rampart/contracts';
import { type BackupManifest, type HistoryAbout, secretFingerprint } from '@rampart/contracts/backups';

export interface RestorePlace {
  readonly log: HistoryAbout['log'];
  readonly secret: string;
  readonly versions: readonly string[];
  /** Nothing of the platform is on it: the log comes from the backup, as it does in the same database. */
  readonly isEmptyKafka: boolean;
  /** Of every partition that the log has; a log in the same database comes with the backup, and has none yet. */
  readonly ends: readonly Pick<HistoryAbout['ends'][number], 'topic' | 'partition' | 'offset'>[];
}

/** @returns why not; undefined where it can */
export const refusalOf = ({ history }: Pick<BackupManifest, 'history'>, place: RestorePlace): string | undefined => {
  if (history.log !== place.log)
    return `The backup is of a platform with its log on ${history.log}, and this one has it on ${place.log}: set KAFKA_BROKERS accordingly.`;
  if (history.secretFingerprint !== secretFingerprint(place.secret))
    return 'RAMPART_SECRET is another one than that of the backup: no unit would be known again. Give the same.';
  if (history.versions.join() !== place.versions.join())
    return `The backup was taken by another version of Rampart: restore it with that one and upgrade then. It has ${history.versions.join(', ')}; this one ${place.versions.join(', ')}.`;
  if (history.log === 'postgres' || (place.isEmptyKafka && history.copied.length > 0)) return undefined;
  if (place.isEmptyKafka)
    return 'This Kafka has nothing of the platform, and the backup was taken without the log: restore it on the Kafka that it was taken beside, or on a mirror of that.';
  return refusalByLog(history, place);
};

/** This Kafka has a log: it must have what the backup goes by, and must not have told decisions that the history would not have. */
const refusalByLog = ({ ends }: HistoryAbout, place: RestorePlace): string | undefined => {
  for (const { topic, partition, offset } of ends) {
    const now = Number(place.ends.find((one) => one.topic === topic && one.partition === partition)?.offset ?? 0);
    if (now < Number(offset))
      return `${topic}/${partition} on this Kafka ends at ${now}, the backup was taken at ${offset}: this is another log, or one that lost messages.`;
    if (topic === DECISIONS && now > Number(offset))
      return `${topic} on this Kafka has ${now - Number(offset)} messages more than at the backup: decisions that the restored history would not have. Restore PostgreSQL from its own archive instead, up to now.`;
  }
  return undefined;
};
