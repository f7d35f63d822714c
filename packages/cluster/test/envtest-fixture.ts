/** A store on a real API server with a misbehaving network in between, and what it tells. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiServer, FaultProxy } from '@typemetal/lab/kubernetes'
import {
  type Change,
  type ClientLimits,
  type ConfigMap,
  type Kind,
  type KubernetesObject,
  openStore,
  type Store,
} from '@typemetal/cluster'
import { createClientMetrics } from '@typemetal/cluster/process'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { ACCOUNT, removeAll } from './envtest.js'
import { configMap, NAMESPACE } from './objects.js'
import { told as handedOn } from './store-contract.js'

/** What a test of {@link withStores} is given. */
export interface Fixture {
  readonly server: ApiServer
  readonly proxy: FaultProxy
  /** Opens and starts a store behind the proxy, which is closed after the test. */
  readonly open: (limits?: Partial<ClientLimits>, kinds?: readonly Kind[]) => Promise<Opened>
}

/** A store and what it has told since it was started. */
export interface Opened {
  readonly store: Store
  readonly changes: Change[]
  readonly outages: (string | undefined)[]
  /** Sum of a counter's series whose labels are these. */
  readonly count: (metric: string, labels?: Readonly<Record<string, string>>) => Promise<number>
}

/** Runs one test with stores on a server that several tests share; what it made is deleted after it. */
export async function withStores(
  t: Test,
  server: ApiServer,
  name: string,
  run: (t: Test, fixture: Fixture) => Promise<void>,
): Promise<void> {
  await t.test(name, { timeout: 300_000 }, async t => {
    await using proxy = await server.proxy()
    const stores: Store[] = []
    const { kubeconfig } = await server.serviceAccountKubeconfig(ACCOUNT, proxy)
    const open: Fixture['open'] = async (limits = {}, kinds = ['ConfigMap']) => {
      const registry = new Registry()
      const options = { kubeconfig, namespace: NAMESPACE, component: 'test', kinds, limits: { ...QUICK, ...limits } }
      const store = await openStore({ ...options, metrics: createClientMetrics(registry) })
      stores.push(store)
      const [changes, outages]: [Change[], (string | undefined)[]] = [[], []]
      store.on('change', batch => changes.push(...batch))
      store.on('outage', reason => outages.push(reason))
      await store.start()
      return { store, changes, outages, count: (metric, labels) => sumOf(registry, metric, labels) }
    }
    try {
      await run(t, { server, proxy, open })
    } finally {
      proxy.stall(false)
      for (const store of stores) await store[Symbol.asyncDispose]()
      await removeAll(server)
    }
  })
}

/** Nobody waits longer than a test has to, nor gives up what a busy machine takes its time for. */
export const QUICK: Partial<ClientLimits> = {
  firstPause: 20,
  longestPause: 500,
  writeTimeout: 60_000,
  startPatience: 120_000,
}

async function sumOf(registry: Registry, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get()
  assert.ok(metric, `${name} is a metric`)
  const wanted = metric.values.filter(value =>
    Object.entries(labels).every(
      ([label, text]) => (value.labels as Readonly<Record<string, unknown>>)[label] === text,
    ),
  )
  return wanted.reduce((sum, { value }) => sum + value, 0)
}

/** ConfigMap `name` that says `text`. */
export const note = (name: string, text = ''): ConfigMap => configMap(name, { text })

/** Path of all ConfigMaps of our namespace. */
export const NOTES = `/api/v1/namespaces/${NAMESPACE}/configmaps`

/** Names of the ConfigMaps that a store knows. */
export const notesOf = (store: Store): readonly string[] =>
  [...store.snapshot().objects('ConfigMap').values()].map(({ metadata }) => metadata.name).toSorted()

/** Objects with their versions, in order: equal texts are equal views of the cluster. */
export const versionsOf = (objects: Iterable<KubernetesObject>): string =>
  Array.from(objects, ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name} ${metadata.resourceVersion}`)
    .toSorted()
    .join('\n')

/** Waits until the store shows exactly what a plain list by the administrator shows. */
export async function agrees(
  server: ApiServer,
  store: Store,
  kind: Kind,
  path: string,
  patience = 60_000,
): Promise<void> {
  const wanted = versionsOf(await server.admin.list(path))
  await holds(
    () => versionsOf(store.snapshot().objects(kind).values()) === wanted,
    `the store agrees on ${kind}`,
    patience,
  )
}

/** Waits for something to become true, and until who listens to a store has been told of it. */
export async function holds(look: () => boolean | Promise<boolean>, what: string, patience = 60_000): Promise<void> {
  for (const deadline = Date.now() + patience; !(await look()); await delay(20)) {
    if (Date.now() > deadline) throw new assert.AssertionError({ message: `never came true: ${what}` })
  }
  await handedOn()
}

/** `key type`, for comparisons. */
export const told = (changes: readonly Change[]): readonly string[] =>
  changes.map(({ key, type }) => `${key.replace(`${NAMESPACE}/`, '')} ${type}`)
