/** Our CustomResourceDefinitions on a real API server: it takes and refuses what `reviewObject` does, and stores the same. */
import assert from 'node:assert/strict'
import { type AdminClient, ApiRefusal } from '@typemetal/lab/kubernetes'
import * as fc from 'fast-check'
import type { Test } from 'tap'
import {
  apiVersionOf,
  type BGPPeer,
  convertBGPPeer,
  customResourceDefinitions,
  DEFINITIONS,
  type KubernetesObject,
  NEWER_FIELDS_ANNOTATION,
  objectSchema,
  type ResourceVersion,
  reviewObject,
} from '@typemetal/cluster'
import { arbitraryOf } from './arbitrary-object.js'
import { ConversionWebhook } from './conversion-webhook.js'
import { type Case, CASES, OLDER_CASES } from './crd-cases.js'
import { onApiServer } from './envtest.js'
import { NAMESPACE, peer } from './objects.js'

type Stored = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown }

/** Objects of each version that nobody thought of: a few seconds of them. */
const RUNS = 150

/** What became of a write. */
type Answer = { readonly object: Stored; readonly refusal?: undefined } | { readonly refusal: ApiRefusal }

onApiServer('CustomResourceDefinitions', {}, async (t, server) => {
  await t.test('are taken whole, without a complaint', async t => definitionsAreTaken(t, server.admin))
  await using webhook = await ConversionWebhook.start(server.directory)
  await redirectConversion(server.admin, webhook)
  for (const [i, row] of [...CASES, ...OLDER_CASES].entries()) {
    await t.test(`${row.object.kind}: ${row.name}`, async t => compare(t, server.admin, row, `case-${i}`))
  }
  for (const [kind, { versions }] of Object.entries(DEFINITIONS)) {
    for (const version of versions) {
      const apiVersion = apiVersionOf(version)
      await t.test(`property: any ${kind} of ${apiVersion}`, async () => comparesAny(server.admin, kind, version))
    }
  }
  await t.test('v1beta1 clients lose nothing of a v1beta2 peer', async t => keepsNewerFields(t, server.admin))
  t.ok(webhook.converted.includes('metallb.io/v1beta1'), 'the API server asked for v1beta1')
  t.ok(webhook.converted.includes('metallb.io/v1beta2'), 'the API server asked for v1beta2')
})

/** The API server tells in conditions what it does not like about a schema that it takes all the same. */
async function definitionsAreTaken(t: Test, admin: AdminClient): Promise<void> {
  for (const crd of customResourceDefinitions()) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`
    const { spec, status } = (await admin.request({ method: 'GET', path })) as {
      readonly spec: { readonly versions: readonly object[] }
      readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] }
    }
    const conditions = new Map(status.conditions.map(({ type, status }) => [type, status]))
    t.equal(conditions.get('NamesAccepted'), 'True', crd.metadata.name)
    t.equal(conditions.get('Established'), 'True', crd.metadata.name)
    t.notOk(conditions.has('NonStructuralSchema'), crd.metadata.name)
    t.same(spec.versions, crd.spec.versions, `${crd.metadata.name}: nothing was dropped`)
  }
}

/** Leads the API server to a webhook that is here; the Service of the manifests has no pods in this cluster. */
async function redirectConversion(admin: AdminClient, { clientConfig }: ConversionWebhook): Promise<void> {
  const crd = customResourceDefinitions().find(({ metadata }) => metadata.name === 'bgppeers.metallb.io')
  const webhook = { clientConfig, conversionReviewVersions: ['v1'] }
  await admin.request({
    method: 'PATCH',
    path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd?.metadata.name ?? ''}`,
    body: {
      spec: {
        conversion: { strategy: 'Webhook', webhook: { ...webhook, clientConfig: { ...clientConfig, service: null } } },
      },
    },
    contentType: 'application/merge-patch+json',
  })
}

/** Writes an object as a case says, and holds what the API server does against what we say that it does. */
async function compare(t: Test, admin: AdminClient, row: Case, name: string): Promise<void> {
  const named = (object: KubernetesObject): Stored => ({ ...object, metadata: { ...object.metadata, name } })
  const object = named(row.object)
  const before = row.old && (await create(admin, named(row.old)))
  const review = reviewObject(row.object, {
    ...(row.old && { old: row.old }),
    ...(row.subresource && { subresource: row.subresource }),
  })
  const strict = await write(admin, object, row, before, 'dryRun=All&fieldValidation=Strict')
  const answer = await write(admin, object, row, before, 'fieldValidation=Ignore')
  t.equal(answer.refusal?.status, review.faults.length === 0 ? undefined : 422, answer.refusal?.message ?? 'taken')
  for (const { field } of review.faults) t.match(answer.refusal?.message, field, 'names the field that we name')
  const dropped = review.unknown.map(({ field }) => `unknown field "${field}"`)
  for (const said of dropped) t.match(strict.refusal?.message, said, 'strictly, it names what it would drop')
  t.equal(
    strict.refusal === undefined,
    review.faults.length === 0 && dropped.length === 0,
    strict.refusal?.message ?? 'taken',
  )
  if (!answer.refusal) {
    const part = row.subresource ?? 'spec'
    t.same(answer.object[part], asAnswered(review.object)[part], 'it stores what we say that it stores')
  }
}

/** An older version is stored as the newer one, whose defaults it then has. */
function asAnswered(object: Stored): Stored {
  if (object.kind !== 'BGPPeer') return object
  const { object: stored } = reviewObject(convertBGPPeer(object as BGPPeer, 'metallb.io/v1beta2'))
  return convertBGPPeer(stored as BGPPeer, object.apiVersion)
}

/** Writes the object before an update, its status too. */
async function create(admin: AdminClient, object: Stored): Promise<Stored> {
  const created = (await admin.request({ method: 'POST', path: await listPath(admin, object), body: object })) as Stored
  if (object.status === undefined) return created
  const body = { ...created, status: object.status }
  return (await admin.request({ method: 'PUT', path: `${await admin.pathOf(object)}/status`, body })) as Stored
}

async function write(
  admin: AdminClient,
  object: Stored,
  { subresource }: Case,
  before: Stored | undefined,
  query: string,
): Promise<Answer> {
  const resourceVersion = before?.metadata.resourceVersion
  const body = {
    ...object,
    metadata: { ...object.metadata, ...(resourceVersion !== undefined && { resourceVersion }) },
  }
  const path = before ? await admin.pathOf(object) : await listPath(admin, object)
  const method = before ? 'PUT' : 'POST'
  try {
    const at = `${path}${subresource ? `/${subresource}` : ''}?${query}`
    return { object: (await admin.request({ method, path: at, body })) as Stored }
  } catch (error) {
    if (error instanceof ApiRefusal) return { refusal: error }
    throw error
  }
}

const listPath = async (admin: AdminClient, object: KubernetesObject): Promise<string> =>
  (await admin.pathOf(object)).replace(/\/[^/]*$/, '')

/** Objects that nobody thought of are taken, refused and stored as we say. */
async function comparesAny(admin: AdminClient, kind: string, version: ResourceVersion): Promise<void> {
  const head = { apiVersion: apiVersionOf(version), kind, metadata: { name: 'any', namespace: NAMESPACE } }
  const writesStatus = Object.keys(version.spec?.properties ?? {}).length === 0
  const before = writesStatus ? await create(admin, { ...head, spec: {} }) : undefined
  const part = writesStatus ? 'status' : 'spec'
  const schema = objectSchema(version).properties?.[part]
  const row = { name: '', object: head, ...(writesStatus && { subresource: 'status' as const, old: head }) }
  await fc.assert(
    fc.asyncProperty(arbitraryOf(schema ?? { type: 'object' }), async value => {
      const object = { ...head, ...(writesStatus && version.spec && { spec: {} }), [part]: value } as Stored
      const { faults, object: ours } = reviewObject(object, {
        ...(before && { old: before }),
        ...(writesStatus && { subresource: 'status' }),
      })
      const answer = await write(admin, object, row, before, 'dryRun=All&fieldValidation=Ignore')
      const said = answer.refusal?.message ?? 'taken'
      assert.equal(answer.refusal?.status, faults.length === 0 ? undefined : 422, said)
      if (!answer.refusal) assert.deepEqual(answer.object[part], asAnswered(ours)[part])
    }),
    { numRuns: RUNS },
  )
}

/** A client that knows v1beta1 only changes a peer that says more than v1beta1 can. */
async function keepsNewerFields(t: Test, admin: AdminClient): Promise<void> {
  const spec = { vrf: 'red', localASN: 65_000, passwordSecret: { name: 's' } }
  const newer = await create(admin, peer('carried', spec))
  const older = { ...newer, apiVersion: 'metallb.io/v1beta1' }
  const path = await admin.pathOf(older)
  const shown = (await admin.request({ method: 'GET', path })) as BGPPeer
  t.notMatch(shown.spec, { vrf: 'red' })
  t.type(shown.metadata.annotations?.[NEWER_FIELDS_ANNOTATION], 'string')
  const body = { spec: { holdTime: '30s' } }
  await admin.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })
  const stored = (await admin.request({ method: 'GET', path: await admin.pathOf(newer) })) as BGPPeer
  t.same(stored.spec, { ...(newer.spec as object), holdTime: '30s' })
  t.equal(stored.metadata.annotations, undefined)
}
