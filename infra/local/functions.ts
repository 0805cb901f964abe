// The functions of the plan, each in a worker of its own with the environment that the template gives it.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import type { Ledger } from './ledger.ts';
import type { FunctionPlan } from './plan.ts';
import { type Invocation, type Outcome, outcome, type Sandbox } from './sandbox.ts';

/** What Lambda answers: the handler's value, or its error as Lambda words it. */
export type Result =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly errorType: string;
      readonly errorMessage: string;
      readonly trace: string[];
    };

export interface FunctionsPlace {
  /** Beside the template's own variables: region and endpoints. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: SharedArrayBuffer;
  readonly ledger: Pick<Ledger, 'lambda'>;
  /** One line that a function wrote, or what became of it. */
  readonly log: (name: string, line: string, failed: boolean) => void;
}

export interface Functions {
  /** Resolves when every bundle is loaded. @throws naming the functions that could not be */
  ready(): Promise<void>;
  /** Never rejects: a handler that throws, crashes or takes too long is a result. */
  invoke(arn: string, event: unknown): Promise<Result>;
  nameOf(arn: string): string;
  inFlight(): number;
  stop(): Promise<void>;
}

/** @throws if a bundle is not there */
export function openFunctions(plans: readonly FunctionPlan[], place: FunctionsPlace): Functions {
  const missing = plans.filter(({ directory, handler }) => !existsSync(join(directory, fileOf(handler))));
  if (missing.length > 0)
    throw new Error(
      `no bundle for ${missing.map(({ name, directory }) => `${name} (${directory})`).join(', ')}: npm run build`,
    );
  const functions = new Map(plans.map((plan) => [plan.arn, openFunction(plan, place)]));
  const of = (arn: string) => {
    const found = functions.get(arn);
    if (!found) throw new Error(`no function ${arn} in the template`);
    return found;
  };
  return {
    ready: async () => {
      const failed = (await Promise.allSettled([...functions.values()].map((it) => it.ready()))).flatMap(
        (it) =>
          it.status === 'rejected'
            ? [it.reason instanceof Error ? it.reason.message : String(it.reason)]
            : [],
      );
      if (failed.length > 0) throw new Error(failed.join('\n'));
    },
    invoke: (arn, event) => of(arn).invoke(event),
    nameOf: (arn) => of(arn).plan.name,
    inFlight: () => [...functions.values()].reduce((sum, it) => sum + it.inFlight(), 0),
    stop: async () => {
      await Promise.all([...functions.values()].map((it) => it.stop()));
    },
  };
}

const fileOf = (handler: string) => `${handler.slice(0, handler.lastIndexOf('.'))}.mjs`;

/** A worker and what it still owes. */
interface Box {
  readonly worker: Worker;
  readonly loaded: Promise<void>;
  readonly owed: Map<number, (result: Result) => void>;
  /** Why it answers no more. */
  ended?: Result;
}

function openFunction(plan: FunctionPlan, { environment, clock, ledger, log }: FunctionsPlace) {
  const boxes = new Set<Box>();
  let current: Box | undefined;
  let count = 0;
  let inFlight = 0;
  let stopping = false;

  function start(): Box {
    const given: Sandbox = {
      directory: plan.directory,
      handler: plan.handler,
      functionName: plan.functionName,
      arn: plan.arn,
      memoryMb: plan.memoryMb,
      clock,
    };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: given,
      execArgv: [],
      stdout: true,
      stderr: true,
      env: {
        ...environment,
        ...plan.environment,
        // The key under which the meters book what this function asks for.
        AWS_ACCESS_KEY_ID: plan.name,
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_LAMBDA_FUNCTION_NAME: plan.functionName,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMb),
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        LAMBDA_TASK_ROOT: plan.directory,
        _HANDLER: plan.handler,
      },
    });
    for (const stream of [worker.stdout, worker.stderr])
      createInterface({ input: stream }).on('line', (line) => log(plan.name, line, false));

    const owed: Box['owed'] = new Map();
    const { promise: loaded, resolve, reject } = Promise.withResolvers<void>();
    loaded.catch(() => {}); // whoever waits for it hears of it; nobody else has to
    const box: Box = { worker, loaded, owed };
    boxes.add(box);

    /** Ends the box: what it owes fails, and the next invocation gets a new one. */
    const end = (errorType: string, errorMessage: string, trace: string[] = []) => {
      if (current === box) current = undefined;
      reject(new Error(`${plan.name}: ${errorType}: ${errorMessage}`));
      box.ended ??= { ok: false, errorType, errorMessage, trace };
      for (const settle of owed.values()) settle(box.ended);
      owed.clear();
    };
    worker.on('message', (message) => {
      const said: Outcome = outcome.parse(message);
      if (said.kind === 'ready') return resolve();
      if (said.kind === 'value') return owed.get(said.id)?.({ ok: true, value: JSON.parse(said.value) });
      const { id, errorType, errorMessage, trace } = said;
      if (id !== undefined) return owed.get(id)?.({ ok: false, errorType, errorMessage, trace });
      end(errorType, errorMessage, trace);
      void worker.terminate();
    });
    worker.on('error', (error) => {
      const known = error instanceof Error ? error : new Error(String(error));
      end(known.name, known.message, (known.stack ?? '').split('\n'));
    });
    worker.on('exit', (code) => {
      boxes.delete(box);
      end('Runtime.ExitError', `the runtime exited with status ${code}`);
    });
    return box;
  }

  const box = () => {
    current ??= start();
    return current;
  };

  async function invoke(event: unknown): Promise<Result> {
    if (stopping)
      return { ok: false, errorType: 'Runtime.Stopped', errorMessage: 'the run has ended', trace: [] };
    const used = box();
    inFlight += 1;
    // Loading the bundle is no part of the billed time here: it is measured by itself.
    await used.loaded.catch(() => {});
    const from = performance.now();
    const result = await call(used, event);
    ledger.lambda(plan.name, performance.now() - from, plan.memoryMb, !result.ok);
    if (!result.ok && !stopping) {
      log(plan.name, `${result.errorType}: ${result.errorMessage}`, true);
      for (const line of result.trace.slice(1, 6)) log(plan.name, line, false);
    }
    inFlight -= 1;
    return result;
  }

  function call(used: Box, event: unknown): Promise<Result> {
    return new Promise((settle) => {
      const id = ++count;
      const { timeoutMs } = plan;
      const timer = setTimeout(() => {
        // Lambda ends the sandbox. Other requests share it here, so it goes when the last of them is answered.
        if (current === used) current = undefined;
        used.owed.get(id)?.({
          ok: false,
          errorType: 'Sandbox.Timedout',
          errorMessage: `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
          trace: [],
        });
      }, timeoutMs);
      used.owed.set(id, (result) => {
        clearTimeout(timer);
        used.owed.delete(id);
        settle(result);
        if (used !== current && used.owed.size === 0) void used.worker.terminate();
      });
      const message: Invocation = { id, requestId: randomUUID(), event: JSON.stringify(event), timeoutMs };
      if (used.ended) used.owed.get(id)?.(used.ended);
      else used.worker.postMessage(message);
    });
  }

  return {
    plan,
    ready: () => box().loaded,
    invoke,
    inFlight: () => inFlight,
    async stop() {
      stopping = true;
      await Promise.all([...boxes].map(({ worker }) => worker.terminate()));
    },
  };
}
