/** One queue to send to. Bodies only: attributes are never used, so nothing personal can stand in one. */
export interface Queue {
  /** Sends each body as one message; resolves when every one is durably queued. Sending again is safe everywhere. */
  send(bodies: readonly string[]): Promise<void>;
}
