import t from 'tap'
import {
  checkSelectorDuplicates,
  checkSelectors,
  type LabelSelector,
  matchesAny,
  matchesSelector,
  selectorText,
} from '@typemetal/cluster'

const labels = { app: 'web', tier: 'front', 'example.com/zone': '' }
const where = (key: string, operator: string, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
})

t.test('selectors match as in Kubernetes', async t => {
  for (const [name, selector, expected] of [
    ['empty', {}, true],
    ['label', { matchLabels: { app: 'web' } }, true],
    ['label of another value', { matchLabels: { app: 'db' } }, false],
    ['all labels are needed', { matchLabels: { app: 'web', rack: '1' } }, false],
    ['In', where('app', 'In', 'db', 'web'), true],
    ['In without the label', where('rack', 'In', '1'), false],
    ['NotIn', where('app', 'NotIn', 'web'), false],
    ['NotIn without the label', where('rack', 'NotIn', '1'), true],
    ['Exists', where('example.com/zone', 'Exists'), true],
    ['Exists without the label', where('rack', 'Exists'), false],
    ['DoesNotExist', where('rack', 'DoesNotExist'), true],
    ['DoesNotExist with the label', where('app', 'DoesNotExist'), false],
    ['what objects inherit is no label', where('constructor', 'Exists'), false],
    ['what objects inherit equals nothing', { matchLabels: { toString: 'x' } }, false],
    ['requirements are ANDed', { matchLabels: { app: 'web' }, ...where('tier', 'NotIn', 'front') }, false],
    ['unknown operators match nothing', where('app', 'in', 'web'), false],
  ] as const) {
    t.equal(matchesSelector(selector, labels), expected, name)
  }
  t.equal(matchesSelector({ matchLabels: { app: 'web' } }), false, 'no labels at all')
})

t.test('lists are ORed, and an empty one matches everything', async t => {
  t.equal(matchesAny([], labels), true)
  t.equal(matchesAny([{ matchLabels: { app: 'db' } }, { matchLabels: { app: 'web' } }], labels), true)
  t.equal(matchesAny([{ matchLabels: { app: 'db' } }], labels), false)
})

t.test('bad selectors', async t => {
  for (const [selector, field, reason] of [
    [where('app', 'in', 'web'), 'matchExpressions[0].operator', /not a valid label selector operator/],
    [where('app', 'In'), 'matchExpressions[0].values', /must not be empty/],
    [where('app', 'NotIn'), 'matchExpressions[0].values', /must not be empty/],
    [where('app', 'Exists', 'x'), 'matchExpressions[0].values', /must be empty/],
    [where('app', 'DoesNotExist', 'x'), 'matchExpressions[0].values', /must be empty/],
    [where('', 'Exists'), 'matchExpressions[0].key', /label key/],
    [where('/x', 'Exists'), 'matchExpressions[0].key', /label key/],
    [where('UPPER/x', 'Exists'), 'matchExpressions[0].key', /label key/],
    [where('a/b/c', 'Exists'), 'matchExpressions[0].key', /label key/],
    [where('x'.repeat(64), 'Exists'), 'matchExpressions[0].key', /label key/],
    [where('app', 'In', '-bad'), 'matchExpressions[0].values[0]', /label value/],
    [{ matchLabels: { app: 'x'.repeat(64) } }, 'matchLabels[app]', /label value/],
    [{ matchLabels: { 'a b': 'x' } }, 'matchLabels', /label key/],
  ] as const) {
    t.match(checkSelectors([{}, selector], 'spec.s'), [{ field: `spec.s[1].${field}`, reason }], String(reason))
  }
  t.same(checkSelectors([{ matchLabels: { 'example.com/a_b.C-d': '' } }, where('a', 'In', 'x', '1.2_3')], 's'), [])
})

t.test('duplicates', async t => {
  const duplicates = (...selectors: readonly LabelSelector[]): unknown =>
    checkSelectorDuplicates(selectors, 's', 'nodeSelectors')
  t.match(duplicates(where('a', 'In', 'x', 'y', 'x')), [
    {
      field: 's[0].matchExpressions[0].values[2]',
      reason: 'duplicate definition of match expression value in label selector "x"',
    },
  ])
  const twice = {
    matchExpressions: [
      { key: 'a', operator: 'In', values: ['x', 'y'] },
      { key: 'a', operator: 'In', values: ['y', 'x'] },
    ],
  }
  t.match(duplicates(twice), [
    { field: 's[0].matchExpressions[1]', reason: /^duplicate definition of match expressions "a in \(x,y\)"/ },
  ])
  t.match(duplicates({ matchLabels: { b: '2', a: '1' } }, {}, { matchLabels: { a: '1', b: '2' } }), [
    { field: 's[2]', reason: 'duplicate definition of nodeSelectors "a=1,b=2"' },
  ])
  t.same(duplicates(where('a', 'Exists'), where('a', 'DoesNotExist'), where('a', 'NotIn', 'x')), [])
})

t.test('selectors print as kubectl prints them', async t => {
  t.equal(selectorText({ matchLabels: { b: '2', a: '1' }, ...where('c', 'NotIn', 'z', 'y') }), 'a=1,b=2,c notin (y,z)')
  t.equal(selectorText(where('c', 'Exists')), 'c')
  t.equal(selectorText(where('c', 'DoesNotExist')), '!c')
})
