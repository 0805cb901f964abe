import { trackingChannel } from './segment-calls.ts';

/**
 * RudderStack: the same calls at the same paths, so that its accounts and Segment's are told apart by the write key
 * alone; and the batch that its browser SDK sends by beacon, with the key in the query.
 */
export const rudderstack = trackingChannel({
  name: 'rudderstack',
  routes: { '/v1/{call}': ['POST'], '/beacon/v1/batch': ['POST'] },
});
