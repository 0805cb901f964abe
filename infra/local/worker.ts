// The sandbox of one function: runs in a worker thread of its own, loads the bundle and answers invocations.
// It loads nothing else, so that a function finds only what its bundle brings.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { Invocation, Outcome, Sandbox } from './sandbox.ts';

/** Makes `Date` tell the virtual time, before any code of the function is loaded. */
function shiftClock(clock: SharedArrayBuffer): void {
  const offset = new BigInt64Array(clock);
  const realNow = Date.now;
  const now = () => realNow() + Number(Atomics.load(offset, 0));
  const shifted = new Proxy(Date, {
    construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [now()] : given, self),
    apply: (target) => new target(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  Object.defineProperty(Date.prototype, 'constructor', {
    value: shifted,
    configurable: true,
    writable: true,
  });
  globalThis.Date = shifted;
}

async function load({ directory, handler }: Sandbox): Promise<(event: unknown, context: unknown) => unknown> {
  const dot = handler.lastIndexOf('.');
  const file = join(directory, `${handler.slice(0, dot)}.mjs`);
  const bundle: Record<string, unknown> = await import(pathToFileURL(file).href);
  const found = bundle[handler.slice(dot + 1)];
  if (typeof found !== 'function') throw new Error(`${handler} is undefined or not exported by ${file}`);
  return (event, context) => found(event, context);
}

const failure = (error: unknown, id?: number): Outcome => ({
  kind: 'error',
  id,
  errorType: error instanceof Error ? error.name : typeof error,
  errorMessage: error instanceof Error ? error.message : String(error),
  trace: error instanceof Error ? (error.stack ?? '').split('\n') : [],
});

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const given: Sandbox = workerData;
  const reply = (it: Outcome) => port.postMessage(it);
  shiftClock(given.clock);
  try {
    const handler = await load(given);
    port.on('message', async ({ id, requestId, event, timeoutMs }: Invocation) => {
      const deadline = performance.now() + timeoutMs;
      const context = {
        awsRequestId: requestId,
        callbackWaitsForEmptyEventLoop: true,
        functionName: given.functionName,
        functionVersion: '$LATEST',
        getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
        invokedFunctionArn: given.arn,
        logGroupName: `/aws/lambda/${given.functionName}`,
        logStreamName: 'local',
        memoryLimitInMB: String(given.memoryMb),
      };
      try {
        const value = await handler(JSON.parse(event), context);
        reply({ kind: 'value', id, value: JSON.stringify(value) ?? 'null' });
      } catch (error) {
        reply(failure(error, id));
      }
    });
    reply({ kind: 'ready' });
  } catch (error) {
    reply(failure(error));
  }
}

if (parentPort) await serve(parentPort);
