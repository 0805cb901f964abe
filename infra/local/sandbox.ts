// What the run and the sandbox of a function say to each other.
import { z } from 'zod';

/** What the sandbox is told when it starts. */
export interface Sandbox {
  readonly directory: string;
  /** `file.export`, as Lambda has it. */
  readonly handler: string;
  readonly functionName: string;
  readonly arn: string;
  readonly memoryMb: number;
  /** Milliseconds that the virtual clock is ahead of the real one, as one 64-bit integer. */
  readonly clock: SharedArrayBuffer;
}

/** One invocation; event and value are JSON text, as Lambda carries them. */
export interface Invocation {
  readonly id: number;
  readonly requestId: string;
  readonly event: string;
  readonly timeoutMs: number;
}

export const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('value'), id: z.number(), value: z.string() }),
  z.object({
    kind: z.literal('error'),
    /** Absent: the bundle could not be loaded. */
    id: z.number().optional(),
    errorType: z.string(),
    errorMessage: z.string(),
    trace: z.array(z.string()),
  }),
]);
export type Outcome = z.infer<typeof outcome>;
