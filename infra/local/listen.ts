// Small HTTP servers on this machine's own address.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';

export interface Listening {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Listens on `port` (0: any free one). @throws with the port and what to do when it is taken */
export async function listen(listener: RequestListener, port = 0, host = '127.0.0.1'): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  server.listen(port, host);
  try {
    await once(server, 'listening'); // rejects when the server has an error first
  } catch (error) {
    throw new Error(
      error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
        ? `port ${port} is in use: stop what listens there, or choose another with PORT=… or --port …`
        : `cannot listen on ${host}:${port}: ${error}`,
    );
  }
  return {
    server,
    port: portOf(server),
    url: `http://${host}:${portOf(server)}`,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((done) => {
        server.close(() => done());
      });
    },
  };
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the server does not listen on a port');
  return address.port;
}

/** The whole body. @returns undefined as soon as it is longer than `limit` bytes; the rest is let pass unread */
export async function bodyOf(
  request: IncomingMessage,
  limit = Number.POSITIVE_INFINITY,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += part.length;
    if (length > limit) {
      request.resume(); // whoever sends hears the answer only when he has been heard out
      return undefined;
    }
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

/** Who signed a request: the access key id in its Authorization header, which names the function here. */
export function callerOf(request: IncomingMessage): string {
  return /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'unsigned';
}
