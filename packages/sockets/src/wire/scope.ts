const SCOPES: Readonly<Record<number, string>> = { 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' }

/** The name of an address's or a route's scope as in `/etc/iproute2/rt_scopes`; the number as text when it has none. */
export const scopeName = (scope: number): string => SCOPES[scope] ?? String(scope)
