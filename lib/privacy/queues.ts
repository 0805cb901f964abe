/**
 * What queues carry of persons, and so how dead letters are judged (`letters.ts`).
 *
 * | holds         | what of a person stands in a body                                                       | what is done                                   |
 * | ------------- | --------------------------------------------------------------------------------------- | ---------------------------------------------- |
 * | `events`      | events with identifiers in clear; faults: bodies as a vendor wrote them                 | each by itself, as what comes late; by name     |
 * | `hints`       | a contact or an order of which the vendor is to be asked                                | removed if its identifier is a tombstone; by name |
 * | `conversions` | a cluster's id and keys of its conversions, which may be orders' numbers; or a place    | of a closed cluster no key is named            |
 * | `places`      | where a walk over all rows goes on: the key of a row                                    | where that row is no more, the walk begins anew |
 * | `nothing`     | ids of requests                                                                         | nothing                                        |
 *
 * What cannot be read as what the queue carries goes if it names somebody, as in quarantine.
 */
export type Personal = 'events' | 'hints' | 'conversions' | 'places';

/** Every queue, and what it carries: the stack has no other (`infra/queue-consumer.ts`). */
export const queues = {
  ...{ events: 'events', hints: 'hints', conversions: 'conversions' },
  ...{ recompute: 'places', surveys: 'places', models: 'places', erasures: 'nothing' },
} as const satisfies Record<string, Personal | 'nothing'>;
export type QueueName = keyof typeof queues;

/** The variable that says where a queue's dead letters are. */
export const addressOf = (name: string) => `${name.toUpperCase()}_DEAD_URL`;
