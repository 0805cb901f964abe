// A vendor's API as the tests play it: an HTTP server on a port of its own that answers as the vendor documents.
import { createServer } from 'node:http';

export interface ApiCall {
  /** The path, without its first slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What goes wrong with a call: an HTTP status, no answer at all, or a lost one (done, and the line broken). */
export type ApiFault = number | 'lost' | undefined;

export interface Api {
  readonly url: string;
  /** The paths of all calls, in order. */
  readonly calls: string[];
  fails?: ((call: ApiCall) => ApiFault) | undefined;
  close(): Promise<unknown>;
}

/** @param answer what the vendor says; it does what it does even if the answer is lost */
export async function anApi(answer: (call: ApiCall) => object): Promise<Api> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const call: ApiCall = {
      path: url.pathname.slice(1),
      query: Object.fromEntries(url.searchParams),
      body: Buffer.concat(parts).toString(),
    };
    api.calls.push(call.path);
    const fault = api.fails?.(call);
    if (typeof fault === 'number') return response.writeHead(fault).end('{}');
    const said = JSON.stringify(answer(call));
    if (fault === 'lost') return response.destroy();
    response.writeHead(200, { 'content-type': 'application/json' }).end(said);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const api: Api = {
    url: `http://127.0.0.1:${port}`,
    calls: [],
    close: () => new Promise((done) => server.close(done)),
  };
  return api;
}
