// Surveys of a world in memory: asked, looked for and answered as the functions do.
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { expect } from 'vitest';
import type { Role } from '../../lib/platform/brand-words.ts';
import { httpHandler } from '../../lib/platform/http.ts';
import { apiKeyItem, authorize } from '../../lib/query/auth.ts';
import { effectAnswer, effectsAnswer } from '../../lib/query/effect.ts';
import { forecastAnswer } from '../../lib/query/forecast.ts';
import { rfmAnswer } from '../../lib/query/rfm.ts';
import { paramsOf } from '../../lib/query/route.ts';
import { backfillAnswer } from '../../lib/tags/backfill-told.ts';
import { rulesApi, rulesRoutes } from '../../lib/tags/rules-api.ts';
import { messagesOf, type Survey } from '../../lib/tags/survey.ts';
import { surveyStore } from '../../lib/tags/survey-store.ts';
import type { World } from '../profile/a-world.ts';
import { keyOf } from '../query/a-caller.ts';
import { onRecompute } from './on-parts.ts';

const routes = rulesRoutes.map(({ path }) => path);

const shapeOf = (path: string) => {
  if (path.startsWith('/rfm')) return rfmAnswer;
  if (path.startsWith('/backfill')) return backfillAnswer;
  if (path.startsWith('/effect')) return effectsAnswer;
  return path.startsWith('/tags') ? effectAnswer : forecastAnswer;
};

export async function aSurveyor(world: World) {
  for (const role of ['operator', 'analyst', 'admin', 'privacy'] as const)
    await world.rows.put(apiKeyItem(keyOf(role), { role, name: role }));
  let done = 0;

  /** Asks the rules function as API Gateway does. */
  async function send(method: string, path: string, body: string, as: Role) {
    const [place = '', rawQuery = ''] = path.split('?');
    const event: Partial<APIGatewayProxyEventV2> & { requestContext: unknown } = {
      rawPath: place,
      rawQueryString: rawQuery,
      pathParameters: routes.map((it) => paramsOf(it, place)).find((it) => it !== undefined) ?? {},
      headers: { Authorization: `Bearer ${keyOf(as)}`, 'X-Reason': 'a test asks' },
      body,
      isBase64Encoded: false,
      requestContext: { http: { method, path: place } } as APIGatewayProxyEventV2['requestContext'],
    };
    const { rows: table, brand, recompute, clock: now, worker, protector, profiles } = world;
    const deps = {
      ...{ table, brand, recompute, now, profiles, authorize },
      rules: worker.store,
      protector: async () => protector,
    };
    const handler = httpHandler(
      () => deps,
      (request) => rulesApi(request, deps),
    );
    const reply: APIGatewayProxyStructuredResultV2 = await handler(
      event as APIGatewayProxyEventV2,
      {} as Context,
    );
    return { status: reply.statusCode ?? 0, said: JSON.parse(reply.body ?? '{}') };
  }

  const surveyor = {
    send,

    async post(path: string, body: unknown) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const { status, said } = await send('POST', path, text, 'operator');
      return { status, ...said };
    },

    /** The answer has to be exactly what the document says: nothing missing, nothing more. */
    async ask(path: string, { as = 'operator' }: { readonly as?: Role } = {}) {
      const { status, said } = await send('GET', path, '', as);
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(said)}`);
      expect(shapeOf(path).parse(said), `${path} answers as described`).toEqual(said);
      return said;
    },

    async askInVain(path: string): Promise<{ status: number; reason: string; message: string }> {
      const { status, said } = await send('GET', path, '', 'operator');
      return { status, ...said.error };
    },

    /** Does what the queue asks for, and what that asks for, until nothing is left. */
    async work(times = 1): Promise<void> {
      while (done < world.recompute.bodies.length) {
        const body = world.recompute.bodies[done] ?? '';
        for (let i = 0; i < times; i++) {
          const failed = await onRecompute([{ id: 'm', body }], world.worker);
          if (failed.length > 0) throw new Error(`${body} came back`);
        }
        done++;
      }
    },

    /** A forecast, asked for and worked on until it is there. */
    async forecast(tag: string, draft: unknown, days = 5) {
      const asked = await surveyor.post(`/rules/${tag}/forecast?days=${days}`, draft);
      if (asked.status !== 202) throw new Error(JSON.stringify(asked));
      await surveyor.work();
      return surveyor.ask(asked.result);
    },

    /** The same survey again, over so many parts. */
    async again(id: string, of: number): Promise<string> {
      const store = surveyStore(world.rows, world.clock);
      const survey = await store.get(id);
      if (!survey) throw new Error('there is no such survey');
      const other: Survey = { ...survey, id: `${id}-${of}`, of };
      await store.put(other);
      await world.recompute.send(messagesOf(other));
      await surveyor.work();
      return other.id;
    },
  };
  return surveyor;
}
