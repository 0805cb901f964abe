import type { Channel, Routes } from '../channels/channel.ts';
import { channels } from '../channels/registry.ts';

/** A channel that answers at a path of its own, and how. */
export interface Stop {
  readonly channel: Channel;
  readonly path: string;
  readonly methods: Routes[`/${string}`];
  /** What the path's `{names}` stand for. */
  readonly params: Readonly<Record<string, string>>;
}

/** Every path that channels have of their own, once, and the methods that any channel has there. */
export function channelRoutes(): Routes {
  const routes: Record<`/${string}`, ('GET' | 'POST')[]> = {};
  for (const channel of Object.values<Channel>(channels))
    for (const [path, methods] of Object.entries(channel.routes)) {
      if (!isPath(path)) continue;
      routes[path] = [...new Set([...(routes[path] ?? []), ...methods])];
    }
  return routes;
}

const isPath = (path: string): path is `/${string}` => path.startsWith('/');

/** The channels that answer at this path: several where they share it, none where nobody does. */
export function stopsAt(path: string): Stop[] {
  return Object.values<Channel>(channels).flatMap((channel) => {
    const fits = Object.entries(channel.routes).flatMap(([route, methods]) => {
      const params = paramsOf(route, path);
      return params ? [{ channel, path: route, methods, params }] : [];
    });
    // A path that is written out goes before one with {names}.
    return fits.sort((a, b) => Object.keys(a.params).length - Object.keys(b.params).length).slice(0, 1);
  });
}

function paramsOf(route: string, path: string): Record<string, string> | undefined {
  const wanted = route.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined ? segment !== given[i] : given[i] === '') return undefined;
    if (name !== undefined) params[name] = given[i] ?? '';
  }
  return params;
}
