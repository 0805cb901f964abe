// Every journey is listened to: what its runs write into keys, columns, queues, logs and refusals may hold no value of a
// customer that came in. Other tests are left alone.
import type { RequestListener, ServerResponse } from 'node:http';
import { afterAll, expect, vi } from 'vitest';
import type { Ear } from './overheard.ts';

const isJourney = /[\\/]test[\\/]journeys[\\/]/.test(expect.getState().testPath ?? '');
if (isJourney) listenTo((await import('./overheard.ts')).openEar());

function listenTo(ear: Ear): void {
  let runs = 0;
  vi.doMock('../../infra/local/listen.ts', async (original) => {
    const real = await original<typeof import('../../infra/local/listen.ts')>();
    return {
      ...real,
      listen: (listener: RequestListener, ...place: [number?, string?]) =>
        real.listen((request, response) => listener(request, hearing(response, ear)), ...place),
      bodyOf: async (...asked: Parameters<typeof real.bodyOf>) => {
        const body = await real.bodyOf(...asked);
        ear.request(asked[0].headers, body);
        return body;
      },
    };
  });
  vi.doMock('../../infra/local/run.ts', async (original) => {
    const real = await original<typeof import('../../infra/local/run.ts')>();
    return {
      ...real,
      startStack: async ({ log = () => {}, ...options }: Parameters<typeof real.startStack>[0]) => {
        const stack = await real.startStack({
          ...options,
          log(name, line, failed) {
            ear.hear(`log of ${name}`, line);
            log(name, line, failed);
          },
        });
        runs++;
        return stack;
      },
    };
  });
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const said = console[name].bind(console);
    vi.spyOn(console, name).mockImplementation((...words: unknown[]) => {
      ear.hear('console', words.map(String).join(' '));
      said(...words);
    });
  }

  afterAll(() => {
    if (runs > 0) expect(Object.keys(ear.counts()), 'a run was listened to').not.toEqual([]);
    expect(ear.unread(), 'messages whose values are not known').toBe(0);
    expect(ear.leaks(), 'values of customers stand where none may').toEqual([]);
  });
}

/** A reply that refuses is heard as it goes out. */
function hearing(response: ServerResponse, ear: Ear): ServerResponse {
  const end = response.end.bind(response);
  const heard = (...words: Parameters<typeof end>): ServerResponse => {
    const [said] = words;
    if (response.statusCode >= 400 && (typeof said === 'string' || said instanceof Uint8Array))
      ear.hear(`refusal ${response.statusCode}`, Buffer.from(said).toString('utf8'));
    return end(...words);
  };
  return Object.assign(response, { end: heard });
}
