// How the commands of `npm run rules` ask a brand.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** What whoever calls has to mend. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The brand is away, or answers that something failed on its side. */
export class AwayError extends Error {
  override readonly name = 'AwayError';
}

export interface ApiTarget {
  readonly url: string;
  readonly key: string;
  /** Why somebody asks: without it identifiers are masked. */
  readonly reason?: string | undefined;
}

/** What the run on this machine gives its demo brand; it opens nothing else. */
const DEVELOPMENT_KEY = 'development-demo-admin';

interface Said {
  readonly url: string;
  readonly key?: string | undefined;
  readonly reason?: string | undefined;
}

/** Of whom is asked: what every command takes. */
export const connection = {
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:4510' },
    key: { type: 'string' },
    reason: { type: 'string' },
  },

  /** What the command line says. @throws UsageError in place of a stack */
  parse<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  },

  /** @throws UsageError if there is no address, or no key */
  target({ url, key, reason }: Said, env: Readonly<Record<string, string | undefined>>): ApiTarget {
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new UsageError(`--url ${url} is no address`);
    const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
    const used = key ?? env.SIYU_API_KEY ?? (isHere ? DEVELOPMENT_KEY : undefined);
    if (used === undefined) throw new UsageError('an API key is missing: --key or SIYU_API_KEY');
    return { url: url.endsWith('/') ? url : `${url}/`, key: used, reason };
  },
} as const;

const refusal = z.object({
  error: z.object({ message: z.string(), caret: z.string().optional() }),
});

export interface Api {
  /** @throws UsageError for a refusal, in its words @throws AwayError if nobody answers, or with 5xx */
  ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, shape: z.ZodType<T>, body?: unknown): Promise<T>;
  /** Asks every second until the answer is the one that is waited for; says how far it is where somebody looks. */
  until<T>(
    ask: () => Promise<T>,
    isDone: (answer: T) => boolean,
    progress: (answer: T) => string,
  ): Promise<T>;
}

export function openApi({ url, key, reason }: ApiTarget): Api {
  return {
    async ask(method, path, shape, body) {
      const reply = await fetch(new URL(path.slice(1), url), {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          ...(reason !== undefined && { 'x-reason': encodeURIComponent(reason) }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }).catch(() => {
        throw new AwayError(`nobody answers at ${url}`);
      });
      if (reply.status >= 500) throw new AwayError(`${url} answers ${reply.status}: try again`);
      const said: unknown = await reply.json();
      if (reply.ok) return shape.parse(said);
      const refused = refusal.safeParse(said);
      const { message, caret } = refused.success ? refused.data.error : { message: `${reply.status}` };
      throw new UsageError(caret === undefined ? message : `${message}\n${caret}`);
    },

    async until(ask, isDone, progress) {
      for (;;) {
        const answer = await ask();
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${isDone(answer) ? '' : progress(answer)}`);
        if (isDone(answer)) return answer;
        await sleep(1_000);
      }
    },
  };
}
