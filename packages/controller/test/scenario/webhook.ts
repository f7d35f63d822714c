/** Runs a webhook scenario: what the API server asks, answered by the functions that answer it in production. */
import { isDeepStrictEqual } from 'node:util'
import { configResources } from '@typemetal/cluster'
import { reviewAdmission } from '../../dist/webhook/admission.js'
import { reviewConversion } from '../../dist/webhook/conversion.js'
import { matches, show } from './compare.js'
import type { AnyObject, WebhookExpectation, WebhookScenario, WebhookStep } from './format.js'
import { MemoryCluster } from './memory-store.js'

/** Both kinds of answer in the words of a scenario. */
interface Answer {
  readonly allowed?: boolean
  readonly message: string
  readonly warnings: readonly string[]
  readonly converted?: unknown
}

/** @returns every difference found, as `step N: path: …`; empty when the scenario passes */
export function runWebhookScenario({ options, steps }: WebhookScenario): readonly string[] {
  const namespace = options?.namespace ?? 'metallb-system'
  const cluster = new MemoryCluster(namespace)
  return steps.flatMap((step, index) => {
    for (const reference of step.delete ?? []) cluster.delete(reference)
    for (const object of step.apply ?? []) cluster.apply(object)
    const found = step.expect ? differences(step.expect, ask(step, cluster, namespace)) : []
    return found.map(difference => `step ${index + 1}: ${difference}`)
  })
}

function ask({ admit, convert }: WebhookStep, cluster: MemoryCluster, namespace: string): Answer {
  if (admit) {
    const resources = configResources(cluster.snapshot())
    const { operation } = admit
    const [object, oldObject] = [admit.object, admit.oldObject].map(each => each && inNamespace(each, namespace))
    const request = { uid: 'asked', operation, ...(object && { object }), ...(oldObject && { oldObject }) }
    const { allowed, status, warnings = [] } = reviewAdmission(request, { namespace, resources })
    return { allowed, message: status?.message ?? '', warnings }
  }
  if (!convert) throw new Error('nothing was asked')
  const { object, desiredAPIVersion } = convert
  const { convertedObjects, result } = reviewConversion({ uid: 'asked', desiredAPIVersion, objects: [object] })
  return { message: result.message ?? '', warnings: [], converted: convertedObjects[0] }
}

/** The API server asks about no object without a namespace; as with `apply`, the one of `metallb.io` objects is meant. */
const inNamespace = (object: AnyObject, namespace: string): AnyObject => ({
  ...object,
  metadata: { namespace, ...object.metadata },
})

function differences(expected: WebhookExpectation, answer: Answer): readonly string[] {
  const { allowed, message, warning } = expected
  const said = answer.warnings.join('\n')
  const found: string[] = []
  const check = (path: string, holds: boolean, wanted: unknown, actual: unknown): void => {
    if (!holds) found.push(`${path}: expected ${show(wanted)}, got ${show(actual)}`)
  }
  if (allowed !== undefined) check('allowed', allowed === answer.allowed, allowed, [answer.allowed, answer.message])
  if (message !== undefined) check('message', matches(message, answer.message), message, answer.message)
  if (warning !== undefined) check('warning', warning === null ? said === '' : matches(warning, said), warning, said)
  if ('converted' in expected) found.push(...partly('converted', expected.converted, answer.converted))
  return found
}

/** Holds what is named against what there is; lists item by item. */
function partly(path: string, expected: unknown, actual: unknown): readonly string[] {
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return expected.flatMap((item, i) => partly(`${path}[${i}]`, item, actual[i]))
  }
  if (isFields(expected) && isFields(actual)) {
    return Object.entries(expected).flatMap(([name, value]) => partly(`${path}.${name}`, value, actual[name]))
  }
  if (isDeepStrictEqual(expected, actual ?? null)) return []
  return [`${path}: expected ${show(expected)}, got ${show(actual)}`]
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
