/** Tables of broken configurations and what is said about them. */
import t from 'tap'
import { buildConfig, type BuildOptions, formatConfigError, type KubernetesObject } from '@typemetal/cluster'
import { NAMESPACE, resources } from './objects.js'

type Component = BuildOptions['component']

/** What is wrong with a set of objects, a line each, without the namespace that they all share. */
export function errorsOf(
  objects: readonly KubernetesObject[],
  component: Component = 'validate',
  self = 'n1',
): readonly string[] {
  const { errors = [] } = buildConfig(resources(...objects), { component, namespace: NAMESPACE, node: self })
  return errors.map(error => formatConfigError(error).replaceAll(`${NAMESPACE}/`, ''))
}

/** Name, objects, errors. */
export type Row = readonly [name: string, objects: readonly KubernetesObject[], ...expected: readonly string[]]

/** Each row: exactly these errors, in this order; none: the configuration is valid. */
export function table(title: string, rows: readonly Row[], component: Component = 'validate'): void {
  t.test(title, async t => {
    for (const [name, objects, ...expected] of rows) t.same(errorsOf(objects, component), expected, name)
  })
}

/** A selector with one expression about label `a`. */
export const selector = (operator: string, ...values: string[]): object => ({
  matchExpressions: [{ key: 'a', operator, values }],
})
/** A list that says the same twice. */
export const twice = [{ matchLabels: { a: '1' } }, { matchLabels: { a: '1' } }]
/** End of the message about an unknown operator. */
export const badOperator = 'is not a valid label selector operator: must be In, NotIn, Exists, DoesNotExist'

/** Selects nodes by label `rack`. */
export const rack = (n: string): object => ({ nodeSelectors: [{ matchLabels: { rack: n } }] })
