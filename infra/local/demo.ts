// The demo: a brand's vendors speak, its people live for two months, and the brand is asked what it knows.
import type { Run } from './brand-run.ts';
import { type Senders, sendersOf } from './demo-accounts.ts';
import { openAsker } from './demo-ask.ts';
import { columns } from './demo-columns.ts';
import { DAYS } from './demo-life.ts';
import { openProgress } from './demo-progress.ts';
import { sampleRequests } from './demo-samples.ts';
import { inShort, requestsOf, type Step, sendAll, sendOnce } from './demo-send.ts';
import { storyOf } from './demo-story.ts';
import { summaryOf } from './demo-summary.ts';

/** Steps that are sent before the next are: people live at once, and still one day after the other. */
const SLICE = 240;

/**
 * Plays the demo against a run, all of it through the HTTP API and at the run's own time, and prints what came of it.
 * A brand that knows people already is not told of others: then only the summary is printed.
 *
 * @throws if a request is refused that should not be
 */
export async function playDemo(run: Run, out: NodeJS.WritableStream = process.stdout): Promise<void> {
  const ask = openAsker(run);
  const senders = sendersOf(run.brand);
  let dollars: Awaited<ReturnType<typeof ask.ledger>> | undefined;
  if ((await ask.digest()).profiles > 0) {
    out.write('The brand knows people already, so the demo is not played again.\n');
  } else {
    await ask.ledger(true);
    await playSamples(run, senders, out);
    await playLife(run, senders, out);
    await ask.idle();
    dollars = await ask.ledger();
  }
  out.write(`\n${await summaryOf(run, ask, dollars)}`);
}

async function playSamples(run: Run, senders: Senders, out: NodeJS.WritableStream): Promise<void> {
  const rows: string[][] = [];
  for (const { name, request } of sampleRequests(senders, run.clock.now())) {
    const { status, text } = await sendOnce(run.url, request);
    rows.push([name, `${request.method} ${request.path}`, String(status), inShort(text)]);
  }
  out.write(`\nThe samples of events/, signed as of now\n${columns(rows, 'llll')}\n`);
}

async function playLife(run: Run, senders: Senders, out: NodeJS.WritableStream): Promise<void> {
  const { steps } = storyOf(run.brand, senders, run.clock.now());
  const sent = steps.filter(({ by }) => senders[by] !== undefined);
  const bar = openProgress(`${DAYS} days of ${run.brand.title.en}`, sent.length, out);
  try {
    for (let from = 0; from < sent.length; from += SLICE) {
      const slice: readonly Step[] = sent.slice(from, from + SLICE);
      const requests = requestsOf(slice, senders, run.clock.now());
      let told = 0;
      await sendAll(run.url, requests, () => {
        const so = Math.round((slice.length * ++told) / requests.length);
        bar.advance(so - Math.round((slice.length * (told - 1)) / requests.length));
      });
    }
  } finally {
    bar.end(); // also when it is broken off: a terminal wants its cursor back
  }
}
