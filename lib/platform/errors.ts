/**
 * Two kinds of failure, and what happens next.
 *
 * - `RejectedError`: never again. Over HTTP it is a 4xx; from a queue it goes to quarantine and is acknowledged.
 * - anything else: try again. Over HTTP it is a 5xx; from a queue the message comes back.
 */
export class RejectedError extends Error {
  /** A stable code, such as `bad_signature`: what is counted and what callers test for. */
  readonly reason: string;
  /** The HTTP status that answers it. */
  readonly status: number;

  constructor(reason: string, message: string, status = 400) {
    super(message);
    this.name = 'RejectedError';
    this.reason = reason;
    this.status = status;
  }
}

/** A conditional write lost: somebody else wrote first. Read again and decide again. */
export class ConflictError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConflictError';
  }
}
