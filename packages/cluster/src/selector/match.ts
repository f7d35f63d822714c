import type { LabelSelector, LabelSelectorRequirement } from '../resources/core.js'

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>

/** Whether `labels` satisfy a label selector: every requirement must hold, `{}` matches everything. */
export function matchesSelector(selector: LabelSelector, labels: Labels = {}): boolean {
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => own(labels, key) === value) &&
    (selector.matchExpressions ?? []).every(requirement => matchesRequirement(requirement, labels))
  )
}

/** Whether one of a list of selectors matches; an empty list matches everything. */
export function matchesAny(selectors: readonly LabelSelector[], labels: Labels = {}): boolean {
  return selectors.length === 0 || selectors.some(selector => matchesSelector(selector, labels))
}

function matchesRequirement(requirement: LabelSelectorRequirement, labels: Labels): boolean {
  const value = own(labels, requirement.key)
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && (requirement.values ?? []).includes(value)
    case 'NotIn':
      return value === undefined || !(requirement.values ?? []).includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      // checkSelectors has refused it in every configuration; matching nothing is the safe answer elsewhere.
      return false
  }
}

/** A label's value; what every object inherits (`constructor`) is no label. */
const own = (labels: Labels, key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined)
