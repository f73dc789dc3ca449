/** What every adapter refuses at its door, before anything is queued. */
import type { OutgoingMessage, TopicState } from './event-log.js';
import { LogError } from './log-errors.js';

/** Larger ones belong elsewhere: a consumer holds several at once. */
export const maxMessageBytes = 16 * 2 ** 20;

const topicName = /^[a-z0-9][a-z0-9._-]{0,47}$/;

/** @throws RangeError for a name or count that no topic can have */
export const checkTopicSpec = ({ topic, partitions }: { readonly topic: string; readonly partitions: number }): void => {
  if (!topicName.test(topic)) throw new RangeError(`A topic's name must match ${topicName}, got "${topic}".`);
  if (!(Number.isInteger(partitions) && partitions >= 1 && partitions <= 1024)) {
    throw new RangeError(`${topic} must have 1 … 1024 partitions, got ${partitions}.`);
  }
};

/** @throws LogError if the topic exists otherwise */
export const checkSameTopic = (wanted: { readonly partitions: number; readonly compacted: boolean }, existing: TopicState): void => {
  const { topic, partitions, compacted } = existing;
  if (partitions !== wanted.partitions) {
    throw new LogError(
      'topic-differs',
      `${topic} has ${partitions} partitions, but ${wanted.partitions} were asked for. The count is fixed when a topic is created: ask for ${partitions}, or open a new generation.`,
    );
  }
  if (compacted !== wanted.compacted) {
    const kind = (isCompacted: boolean) => (isCompacted ? 'compacted' : 'not compacted');
    throw new LogError('topic-differs', `${topic} is ${kind(compacted)}, but was asked for as ${kind(wanted.compacted)}.`);
  }
};

/** @throws LogError when a message can never be taken */
export const checkMessages = ({ topic, partitions, compacted }: TopicState, messages: readonly OutgoingMessage[]): void => {
  for (const { partition, key, value } of messages) {
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitions)) {
      throw new LogError('unknown-partition', `${topic} has the partitions 0 … ${partitions - 1}; a message names ${partition}.`);
    }
    if (compacted && (key === null || key === undefined)) {
      throw new LogError('message-refused', `${topic} is compacted: every message needs a key.`);
    }
    if (key?.includes('\0')) throw new LogError('message-refused', `A key of ${topic} holds a NUL character, which can't be stored.`);
    // A string has at most three bytes per UTF-16 unit.
    if (
      value !== null &&
      value.length * (typeof value === 'string' ? 3 : 1) > maxMessageBytes &&
      Buffer.byteLength(value) > maxMessageBytes
    ) {
      throw new LogError(
        'message-refused',
        `A message of ${topic} has ${Buffer.byteLength(value)} bytes; at most ${maxMessageBytes} can be taken.`,
      );
    }
  }
};
