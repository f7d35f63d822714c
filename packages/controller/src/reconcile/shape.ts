import type { Service } from '@typemetal/cluster'

/**
 * What is wrong with the shape of a Service, in one phrase, or `undefined`. An API server lets no such Service in; a folder
 * of manifests does.
 */
export function shapeFault({ metadata, spec, status }: Service): string | undefined {
  const ingress: unknown = status?.loadBalancer?.ingress
  return (
    fault('metadata.annotations', metadata.annotations, isMapOfTexts, 'an object of strings') ??
    fault('metadata.labels', metadata.labels, isMapOfTexts, 'an object of strings') ??
    fault('spec', spec, isObject, 'an object') ??
    fault('spec.selector', spec?.selector, isMapOfTexts, 'an object of strings') ??
    fault('spec.clusterIP', spec?.clusterIP, isText, 'a string') ??
    fault('spec.clusterIPs', spec?.clusterIPs, listOf(isText), 'a list of strings') ??
    fault('spec.loadBalancerIP', spec?.loadBalancerIP, isText, 'a string') ??
    fault('spec.loadBalancerClass', spec?.loadBalancerClass, isText, 'a string') ??
    fault('spec.ipFamilies', spec?.ipFamilies, listOf(isText), 'a list of strings') ??
    fault('spec.ports', spec?.ports, listOf(isObject), 'a list of objects') ??
    fault('status.loadBalancer.ingress', ingress, listOf(isObject), 'a list of objects') ??
    fault(
      'status.loadBalancer.ingress[].ip',
      status?.loadBalancer?.ingress?.map(({ ip }) => ip ?? ''),
      listOf(isText),
      'a string',
    )
  )
}

type Test = (value: unknown) => boolean

/** An absent value is right everywhere. */
function fault(field: string, value: unknown, isRight: Test, what: string): string | undefined {
  return value === undefined || isRight(value) ? undefined : `${field} is not ${what}`
}

const isText: Test = value => typeof value === 'string'
const isObject: Test = value => typeof value === 'object' && value !== null && !Array.isArray(value)
const isMapOfTexts: Test = value => isObject(value) && Object.values(value as object).every(isText)
const listOf =
  (test: Test): Test =>
  value =>
    Array.isArray(value) && value.every(test)
