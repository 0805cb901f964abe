/** What the generic channel takes in one request, less room for the frame. */
export const BATCH_EVENTS = 500;
export const BATCH_BYTES = 256 * 1024 - 1024;

/** One request: the JSON of events, in the order of the file. */
export const batchBody = (events: readonly string[]): string => `{"batch":[${events.join(',')}]}`;

/** Whether one event more still fits a batch of `events` events that has `bytes` bytes. */
export const fits = (events: number, bytes: number, more: number): boolean =>
  events === 0 || (events < BATCH_EVENTS && bytes + more + 1 <= BATCH_BYTES);
