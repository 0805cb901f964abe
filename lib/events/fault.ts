/** Why a message could not become an event. Stable codes: they are counted, listed and tested for. */
export type FaultReason =
  | 'undecodable'
  | 'bad_shape'
  | 'bad_type'
  | 'bad_time'
  | 'expired'
  | 'missing_property'
  | 'bad_property'
  | 'no_identifier'
  | 'bad_identifier'
  | 'client_money'
  | 'too_large'
  | 'vendor_refused'
  | 'not_confirmed';

/** A name that a sender chose, as a fault may quote it: what is no snake_case may be a value in the place of a name. */
export const quoted = (name: string): string =>
  /^[a-z][a-z0-9_]{0,63}$/.test(name) ? name : '(a name that is not snake_case)';

/**
 * A message that is authentic and cannot become an event as it stands. It goes to quarantine, whole, and the
 * messages beside it go on. Its text says what to change and quotes no value: values may be personal.
 */
export class FaultError extends Error {
  readonly reason: FaultReason;

  constructor(reason: FaultReason, message: string) {
    super(message);
    this.name = 'FaultError';
    this.reason = reason;
  }
}
