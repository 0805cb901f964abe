// Canaries: values that nobody else has, sent in where customers' values come in, and listened for where none may come out.
import { createHash } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import { vi } from 'vitest';
import type { Queue } from '../../lib/platform/queue.ts';
import type { Key, Table } from '../../lib/platform/table.ts';

/** What a value is, for the report of a leak: the value itself is not repeated. */
export type Canaries = Readonly<Record<string, string>>;

const SHORTEST = 6;

/** A vendor's random id of WeChat's length: nobody finds it by trying, so that its digest tells nothing. */
const UNGUESSABLE = /^(o|wm)[\w-]{26,}$/;

/**
 * All forms in which a value may stand in a text, in lower case: as it is, percent-encoded, escaped as in JSON, in hex
 * and base64 wherever it begins, a phone without its country, and digests without a key, by which what can be guessed can be found.
 */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const shifted = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url');
    return text.slice(before === 0 ? 0 : before + 1, -2 - ((before + bytes.length) % 3));
  });
  const guessable = UNGUESSABLE.test(value) ? [] : ['sha256', 'sha1', 'md5'];
  const digests = guessable.flatMap((name) => {
    const digest = createHash(name).update(value).digest();
    return [digest.toString('hex').slice(0, 22), digest.toString('base64url').slice(0, 16)];
  });
  const escaped = value.replace(
    /[^\x20-\x7e]/g,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const inland = /^\+86(\d{11})$/.exec(value)?.[1];
  const forms = [
    ...[value, encodeURIComponent(value), escaped, bytes.toString('hex'), ...shifted, ...digests],
    ...shifted.map((it) => it.replaceAll('-', '+').replaceAll('_', '/')),
    ...(inland === undefined ? [] : [inland, Buffer.from(inland).toString('base64url').slice(0, -2)]),
  ];
  return [...new Set(forms.map((it) => it.toLowerCase()))].filter(
    (it) => it.length >= SHORTEST || /[^\x20-\x7e]/.test(it),
  );
}

/** Where something was written that people or machines outside the brand's data may read. */
export interface Written {
  readonly where: string;
  readonly text: string;
}

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return [value.name, value.message, value.stack, textOf(value.cause)].join('\n');
  return JSON.stringify(value) ?? '';
};

/** Collects whatever is written where no value of a customer may stand. */
export function openCage(canaries: Canaries) {
  const written = new Map<string, Written>();
  const forms = Object.entries(canaries).map(([what, value]) => ({ what, forms: formsOf(value) }));

  const see = (where: string, ...values: readonly unknown[]): void => {
    for (const value of values) {
      const text = stripVTControlCharacters(textOf(value));
      written.set(`${where} ${text}`, { where, text });
    }
  };
  const seeRow = ({
    pk,
    sk,
    w = '',
    due = '',
  }: Key & { readonly w?: unknown; readonly due?: unknown }): void => see('key', pk, sk, w, due);

  return {
    see,

    /** The same table; the keys of what is written, those of its index too, are seen. What a row holds beside them is not. */
    table: (table: Table): Table => ({
      ...table,
      put: (item, guard) => {
        seeRow(item);
        return table.put(item, guard);
      },
      add: (key, increments, set) => {
        seeRow(key);
        see('column', ...Object.keys(increments), ...Object.keys(set ?? {}));
        return table.add(key, increments, set);
      },
      remove: (key, guard) => {
        seeRow(key);
        return table.remove(key, guard);
      },
    }),

    /** The same queue; its bodies are seen: for queues that carry no event. */
    queue: (name: string, queue: Queue): Queue => ({
      send: (bodies) => {
        see(`queue ${name}`, ...bodies);
        return queue.send(bodies);
      },
    }),

    /** Sees what is written to the console and to the streams behind it while `work` runs, and lets none of it through. */
    async hearing<T>(work: () => Promise<T>): Promise<T> {
      const spies = [
        ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
          vi.spyOn(console, name).mockImplementation((...said: unknown[]) => see('log', ...said)),
        ),
        ...[process.stdout, process.stderr].map((stream) =>
          vi.spyOn(stream, 'write').mockImplementation((chunk) => {
            see('log', typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
            return true;
          }),
        ),
      ];
      try {
        return await work();
      } finally {
        for (const spy of spies) spy.mockRestore();
      }
    },

    /** How much was seen, by where: a test that saw nothing proves nothing. */
    counts(): Record<string, number> {
      const counts: Record<string, number> = {};
      for (const { where } of written.values()) counts[where] = (counts[where] ?? 0) + 1;
      return counts;
    },

    /** Each place where a canary sings: `key: phone`. */
    leaks(): string[] {
      const lines = [...written.values()].map((it) => ({ ...it, text: it.text.toLowerCase() }));
      const whole = lines.map(({ text }) => text).join('\n');
      const found = forms.filter((it) => it.forms.some((form) => whole.includes(form)));
      return found
        .flatMap(({ what, forms: of }) =>
          lines
            .filter(({ text }) => of.some((form) => text.includes(form)))
            .map(({ where, text }) => leakOf(where, what, text)),
        )
        .sort();
    },
  };
}

/** A log says where it came from in its first words; more of the line would repeat the value. */
const leakOf = (where: string, what: string, text: string): string => {
  const said = where === 'log' ? /"(?:what|event)":"([^"]*)"/.exec(text)?.[1] : undefined;
  return `${where}${said === undefined ? '' : ` "${said}"`}: ${what}`;
};

export type Cage = ReturnType<typeof openCage>;
