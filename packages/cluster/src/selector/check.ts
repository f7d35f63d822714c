import type { FieldFault } from '../config/field-fault.js'
import type { LabelSelector, LabelSelectorRequirement } from '../resources/core.js'

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist']

/**
 * Checks a list of label selectors by the standard Kubernetes rules.
 *
 * @param field path of the list, e.g. `spec.nodeSelectors`
 */
export function checkSelectors(selectors: readonly LabelSelector[], field: string): readonly FieldFault[] {
  return selectors.flatMap((selector, i) => checkSelector(selector, `${field}[${i}]`))
}

/** Checks one label selector: known operators, right number of values, qualified keys, valid values. */
export function checkSelector(selector: LabelSelector, field: string): readonly FieldFault[] {
  return [
    ...Object.entries(selector.matchLabels ?? {}).flatMap(([key, value]) => [
      ...checkKey(key, `${field}.matchLabels`),
      ...checkValue(value, `${field}.matchLabels[${key}]`),
    ]),
    ...(selector.matchExpressions ?? []).flatMap((e, i) => checkRequirement(e, `${field}.matchExpressions[${i}]`)),
  ]
}

/**
 * Finds what a list of selectors says twice: a value in one expression, an expression in one selector (values in any
 * order), or a selector in the list.
 *
 * @param name of the list in messages, e.g. `nodeSelectors`
 */
export function checkSelectorDuplicates(
  selectors: readonly LabelSelector[],
  field: string,
  name: string,
): readonly FieldFault[] {
  const inner = selectors.flatMap((selector, i) => {
    const expressions = selector.matchExpressions ?? []
    const path = `${field}[${i}].matchExpressions`
    return [
      ...expressions.flatMap((expression, j) =>
        checkDuplicates(expression.values ?? [], `${path}[${j}].values`, 'match expression value in label selector'),
      ),
      ...checkDuplicates(expressions.map(expressionText), path, 'match expressions'),
    ]
  })
  return [...inner, ...checkDuplicates(selectors.map(selectorText), field, name)]
}

/** Finds texts that a list contains twice; the fault names the second of them. */
export function checkDuplicates(values: readonly string[], field: string, what: string): readonly FieldFault[] {
  const seen = new Set<string>()
  return values.flatMap((value, i) => {
    if (seen.has(value)) return [{ field: `${field}[${i}]`, reason: `duplicate definition of ${what} "${value}"` }]
    seen.add(value)
    return []
  })
}

/** A selector as kubectl prints it: `app=web,tier in (a,b)`; labels sorted by key, expressions in their order. */
export function selectorText(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [
    ...labels.map(([key, value]) => `${key}=${value}`),
    ...(selector.matchExpressions ?? []).map(expressionText),
  ].join(',')
}

function expressionText({ key, operator, values = [] }: LabelSelectorRequirement): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  return `${key} ${operator.toLowerCase()} (${values.toSorted().join(',')})`
}

function checkRequirement(
  { key, operator, values = [] }: LabelSelectorRequirement,
  field: string,
): readonly FieldFault[] {
  const faults = [...checkKey(key, `${field}.key`)]
  if (!OPERATORS.includes(operator)) {
    faults.push({
      field: `${field}.operator`,
      reason: `"${operator}" is not a valid label selector operator: must be ${OPERATORS.join(', ')}`,
    })
  } else if (operator.endsWith('In') && values.length === 0) {
    faults.push({ field: `${field}.values`, reason: `values must not be empty when operator is ${operator}` })
  } else if (operator.endsWith('Exist') || operator === 'Exists') {
    if (values.length > 0)
      faults.push({ field: `${field}.values`, reason: `values must be empty when operator is ${operator}` })
  }
  return [...faults, ...values.flatMap((value, i) => checkValue(value, `${field}.values[${i}]`))]
}

function checkKey(key: string, field: string): readonly FieldFault[] {
  const slash = key.indexOf('/')
  const prefix = key.slice(0, Math.max(slash, 0))
  const name = key.slice(slash + 1)
  const prefixFits = slash < 0 || (prefix.length <= 253 && SUBDOMAIN.test(prefix))
  if (prefixFits && name.length <= 63 && NAME.test(name)) return []
  return [{ field, reason: `"${key}" is not a valid label key` }]
}

function checkValue(value: string, field: string): readonly FieldFault[] {
  if (value === '' || (value.length <= 63 && NAME.test(value))) return []
  return [{ field, reason: `"${value}" is not a valid label value` }]
}
